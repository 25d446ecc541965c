"""Defines the errors of requests and connections, whatever they ask for."""

from understudy.errors.base import Forbidden, Refused, TooLarge, Unavailable, UnderstudyError


class ForeignHost(Forbidden):
    code = "foreign_host"
    title = "The host name is not allowed"
    default_remedy = "Use the server's IP address or localhost, or add the host name to UNDERSTUDY_ALLOWED_HOSTS."


class ForeignOrigin(Forbidden):
    code = "foreign_origin"
    title = "The request comes from a page of another site"


class BodyTooLarge(TooLarge):
    code = "body_too_large"
    title = "The upload is too large"


class HeadersTooLarge(TooLarge):
    status = 431
    code = "headers_too_large"
    title = "The head of the request is too large"
    default_remedy = "Send fewer or shorter headers. Cookies of other programs on the same host name are a usual cause."


class MalformedRequest(UnderstudyError):
    status = 400
    code = "malformed_request"
    title = "The request is not HTTP"
    default_remedy = "Send HTTP/1.1, without TLS: the address begins with http://."


class RequestTimeout(UnderstudyError):
    status = 408
    code = "request_timeout"
    title = "The request arrived too slowly"
    default_remedy = "Send the request again, over a faster connection."


class RequestInvalid(Refused):
    code = "request_invalid"
    title = "The request is not valid"


class TooManyConnections(Unavailable):
    code = "too_many_connections"
    title = "Too many connections are open"
    default_remedy = "Close connections that are not needed, or raise the server's limit of open files (ulimit -n)."


class ClientGone(UnderstudyError):
    """Nobody receives it: the counters of requests show it."""

    status = 499
    code = "client_gone"
    title = "The client closed the connection"
    default_remedy = "Keep the connection open until the answer has arrived."
