"""Names the browser of a session by what it says of itself, so that a person knows their sessions apart."""

LONGEST_AGENT = 300

# In this order: most browsers name those that came before them, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def shorten_agent(user_agent: str | None) -> str | None:
    """Return the header's text as it is stored: printable, of at most 300 characters; None without any."""
    if user_agent is None:
        return None
    kept = "".join(each for each in user_agent if each.isprintable())
    return kept[:LONGEST_AGENT] or None


def name_browser(user_agent: str | None) -> str | None:
    """Return a name such as `Firefox on Linux`; the text itself for another program, None for none."""
    if user_agent is None:
        return None
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), None)
    if browser is None:
        return user_agent[:60]
    return browser if system is None else f"{browser} on {system}"
