"""Tells a page of the source from a page that a firewall put in its place."""

import re
from collections.abc import Mapping

# Strong marks only: a post may talk about Cloudflare, and a comment form may carry a CAPTCHA.
_HEADERS = (
    ("cf-mitigated", "challenge", "Cloudflare"),
    ("x-vercel-mitigated", "", "Vercel"),
    ("x-amzn-waf-action", "", "AWS WAF"),
    ("x-sucuri-block", "", "Sucuri"),
)
# (a word to look for first, in lower case; what must then be there; whose it is)
_PAGES = (
    (b"just a moment", rb"<title>just a moment", "Cloudflare"),
    (b"un instant", rb"<title>un instant", "Cloudflare"),
    (b"| cloudflare", rb"<title>attention required! \| cloudflare", "Cloudflare"),
    (
        b"challenge-platform",
        rb"/cdn-cgi/challenge-platform/[^\"']{0,80}/orchestrate/",
        "Cloudflare",
    ),
    (
        b"captcha-delivery",
        rb"(?:src|href)=[\"']https://(?:geo|ct|js)\.captcha-delivery\.com/|"
        rb"var dd=\{[^}]{0,300}captcha-delivery\.com",
        "DataDome",
    ),
    (
        b"access denied",
        rb"<title>access denied</title>.{0,2000}(?:errors\.edgesuite\.net|reference&#32;&#35;)",
        "Akamai",
    ),
    (b"incapsula", rb"src=[\"']/_incapsula_resource|incapsula incident id", "Imperva"),
    (b"px-captcha", rb"id=[\"']px-captcha[\"']", "PerimeterX"),
    (b"window.kpsdk", rb"window\.kpsdk\s*=", "Kasada"),
    (b"sucuri", rb"<title>sucuri website firewall", "Sucuri"),
    (b"not a bot!", rb"<title>making sure you(?:'|&#39;)re not a bot!", "Anubis"),
    (b"one moment", rb"<title>one moment, please\.\.\.</title>", "Imunify360"),
    (b"ddos-guard", rb"<title>ddos-guard</title>", "DDoS-Guard"),
    (b"unusual traffic", rb"our systems have detected unusual traffic from your comp", "Google"),
)
_READ = 20_000  # bytes: such pages are short, and tell at once


def firewall(headers: Mapping[str, str], body: bytes) -> str | None:
    """The name of the firewall that answered instead of the source, or None."""
    for name, value, who in _HEADERS:
        if name in headers and value in headers[name].lower():
            return who
    if "html" not in headers.get("content-type", "text/html"):
        return None
    start = body[:_READ].lower()
    for word, pattern, who in _PAGES:
        if word in start and re.search(pattern, start, re.DOTALL):
            return who
    return None
