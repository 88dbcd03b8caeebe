"""Whether a request is for this machine by a name of its own, and comes from no other site."""

import ipaddress

_OWN_SITE = ("none", "same-origin")


def is_direct(host: str) -> bool:
    """Whether a ``Host`` header names an address, or this machine.

    Where no key protects the data, a web page could else reach it from the reader's own browser, by a name of
    the page's that answers with 127.0.0.1 (DNS rebinding).
    """
    name = host_name(host)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return not name or name == "localhost" or name.endswith(".localhost")
    return True


def host_name(host: str) -> str:
    """A ``Host`` header without its port."""
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name.strip("[]")


def is_of_own_site(fetch_site: str | None) -> bool:
    """Whether a ``Sec-Fetch-Site`` header, which every browser sends, tells of no other site."""
    return (fetch_site or "none") in _OWN_SITE
