"""Brands' own accounts: which posts they wrote, and which posts answer them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from raccroche import reference
from raccroche.config import BrandConfig, Config
from raccroche.post import Post

_FEDIVERSE = frozenset({"activitypub", "lemmy", "mastodon", "peertube"})  # name@server, all of them
# "@name" or "@name@server" before anything else: whom a reply is addressed to
_HEAD = re.compile(r"\s{0,10}@([\w.-]{1,100}(?:@[\w.-]{1,100})?)")


def with_brand_accounts(config: Config, posts: Sequence[Post]) -> list[Post]:
    """
    *posts* of one page with the brands whose accounts wrote them or are answered by them.

    To be asked before names become pseudonyms: the account that is answered is no longer in the
    posts that come back.
    """
    authors = {(post.source, post.native_id): post.author for post in posts if post.author}
    return [
        replace(
            post,
            by_brand=post.by_brand or brand is not None,
            author_brand=brand,
            reply_to=None,
            reply_to_brand=_answered(config, post, authors.get((post.source, post.parent or ""))),
        )
        for post in posts
        for brand in [brand_of(config, post.platform, post.author)]
    ]


def brand_of(config: Config, platform: str, account: str | None) -> str | None:
    """The name of the brand that holds *account* (as published) on *platform*; None for people."""
    if not account:
        return None
    known = _handles(config.brands)
    names = _ways_to_write(platform, account.strip().lstrip("@").casefold())
    return next((known[one] for one in names if one in known), None)


def _ways_to_write(platform: str, name: str) -> Iterator[str]:
    """
    How the brand table may write an account: `name` is one on X, and tells nothing elsewhere, where
    anybody may have taken it; an address tells by itself, `platform:name` on that platform only.
    """
    yield f"{platform}:{name}"
    if platform in _FEDIVERSE:
        yield f"{platform}:{name.partition('@')[0]}"
    if (
        platform == "x"
        or (platform in _FEDIVERSE and "@" in name)
        or (platform == "bluesky" and ("." in name or name.startswith("did:")))
    ):
        yield name


@cache
def _handles(added: tuple[BrandConfig, ...]) -> Mapping[str, str]:
    """Brand names by handle; a user's brand comes before ours of the same handle."""
    held = [(brand.name, brand.handles) for brand in reference.brands()]
    held += [(brand.name, brand.handles) for brand in added]
    return {handle.lstrip("@").casefold(): name for name, handles in held for handle in handles}


def _answered(config: Config, post: Post, above: str | None) -> str | None:
    """
    The brand whose account *post* answers: the author of the post *above* it, the account that the
    platform names, or, where neither is told by name, the one that opens the text.
    """
    told = [account for account in (above, post.reply_to) if account]
    for account in told:
        if brand := brand_of(config, post.platform, account):
            return brand
    if post.parent and all(account.startswith("did:") for account in told):
        head = _HEAD.match(post.text)
        return brand_of(config, post.platform, head.group(1)) if head else None
    return None
