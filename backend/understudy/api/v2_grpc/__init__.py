"""The Open Inference Protocol, version 2, over gRPC. Nothing here is imported unless UNDERSTUDY_GRPC_PORT is set."""
