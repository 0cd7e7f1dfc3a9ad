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
_PAGES = (
    (rb"<title>(?:just a moment|un instant|attention required! \| cloudflare)", "Cloudflare"),
    (rb"/cdn-cgi/challenge-platform/[^\"']{0,80}/orchestrate/", "Cloudflare"),
    (rb"(?:src|href)=[\"']https://(?:geo|ct|js)\.captcha-delivery\.com/", "DataDome"),
    (rb"var dd=\{[^}]{0,300}captcha-delivery\.com", "DataDome"),
    (
        rb"<title>access denied</title>.{0,2000}(?:errors\.edgesuite\.net|reference&#32;&#35;)",
        "Akamai",
    ),
    (rb"<script[^>]{0,40}src=[\"']/_Incapsula_Resource|incapsula incident id", "Imperva"),
    (rb"id=[\"']px-captcha[\"']|window\._pxAppId", "PerimeterX"),
    (rb"window\.KPSDK\s*=", "Kasada"),
    (rb"<title>sucuri website firewall", "Sucuri"),
    (rb"<title>making sure you(?:'|&#39;)re not a bot!", "Anubis"),
    (rb"<title>one moment, please\.\.\.</title>", "Imunify360"),
    (rb"<title>ddos-guard</title>", "DDoS-Guard"),
    (rb"our systems have detected unusual traffic from your computer network", "Google"),
)
_READ = 20_000  # bytes: such pages are short, and tell at once


def firewall(headers: Mapping[str, str], body: bytes) -> str | None:
    """The name of the firewall that answered instead of the source, or None."""
    for name, value, who in _HEADERS:
        if name in headers and value in headers[name].lower():
            return who
    kind = headers.get("content-type", "text/html")
    if "html" not in kind:
        return None
    start = body[:_READ]
    for pattern, who in _PAGES:
        if re.search(pattern, start, re.IGNORECASE | re.DOTALL):
            return who
    return None
