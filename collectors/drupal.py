"""Comments under the pages of Drupal sites, from version 6 to today's."""

import re

from collectors import comment_lists as lists
from collectors.comments_page import messages_page
from collectors.html import Tree, absolute, attribute_of, page_url, tree
from collectors.settings import Addresses, each_address
from raccroche.post import Answer, Page, Request

PLATFORM = "drupal"
TITLE = "Drupal"
NEEDS = ""
LEGAL = "Public comments; the site's robots.txt and terms apply, and are read before any page."
Settings = Addresses
requests = each_address


def parse(answer: Answer) -> Page:
    """The comments of one page."""
    page = tree(answer.text)
    url = page_url(answer, page)
    found = lists.comments(page, now=answer.fetched_at)
    return messages_page(
        found,
        PLATFORM,
        "#comment-{}",
        page,
        url,
        answer,
        declared=lists.declared(page, url),
        next=_next(page, url, answer) if found else (),
    )


def recognises(answer: Answer) -> int:
    body = answer.body
    signs = len(
        re.findall(
            rb"content=[\"']Drupal |/sites/(?:default|all)/|drupal\.js|Drupal\.settings"
            rb"|drupalSettings"
            rb"|data-drupal-|/core/misc/|/comment/reply/|data-comment-user-id",
            body,
        )
    )
    if signs < 2:
        return 0
    return 91 if re.search(rb"id=[\"']comment-\d", body) else 51


def _next(page: Tree, url: str, answer: Answer) -> tuple[Request, ...]:
    """The pager under the comments: `li.pager-next` and today's `li.pager__item--next`."""
    link = page.css_first(
        "#comments .pager-next a, .pager__item--next a, .pager-next a, a[rel=next]"
    )
    target = absolute(attribute_of(link, "href"), url)
    if target is None or "page=" not in target:
        return ()
    return (Request(target, context=answer.context),)
