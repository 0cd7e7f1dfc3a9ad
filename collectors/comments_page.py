"""
What the parsers of numbered comment lists make of what they found: posts, or the reason why there
are none.
"""

from collectors.comment_lists import Found, loaded_by_script
from collectors.fields import counts
from collectors.html import Tree, absolute, clean_author, host, page_language, page_title
from collectors.walls import wall
from raccroche.post import Answer, Kind, Page, Post, Request, Verdict


def messages_page(
    found: list[Found],
    platform: str,
    anchor: str,
    page: Tree,
    url: str,
    answer: Answer,
    *,
    declared: int | None,
    next: tuple[Request, ...] = (),
) -> Page:
    """
    The page of these comments; *anchor* is the fragment of a comment's address (`#comment-{}`).

    Without comments: a wall, a note that a script loads them, or `layout_changed` where the page
    declares some.
    """
    if not found:
        return nothing_found(page, answer, declared)
    title, language = page_title(page), page_language(page)
    posts = tuple(
        Post(
            source=f"{platform}/{host(url) or 'unknown'}",
            platform=platform,
            native_id=one.number,
            text=one.text.text,
            kind=Kind.COMMENT,
            author=clean_author(one.author),
            published_at=one.moment.at if one.moment else None,
            day_only=bool(one.moment and one.moment.day_only),
            title=one.title,
            url=absolute(anchor.format(one.number), url) if url else None,
            parent=one.parent,
            thread=url or None,
            thread_title=title,
            language=language,
            engagement=counts(likes=one.likes),
            context_brand=answer.context.get("context_brand"),
            quoted=one.text.quoted,
        )
        for one in found
        if not one.pingback
    )
    return Page(posts=posts, declared=declared, next=next)


def nothing_found(page: Tree, answer: Answer, declared: int | None) -> Page:
    """
    Why a page gives no comment: a wall, a script that loads them, a changed layout, or none
    written.
    """
    blocked = wall(answer, page)
    if blocked is not None:
        return blocked
    if not declared:
        return Page(declared=declared)
    if loaded_by_script(answer.text):
        return Page(declared=declared, note=f"{declared} comments, loaded by script: none here")
    return Page(
        declared=declared,
        verdict=Verdict.LAYOUT_CHANGED,
        note=f"the page declares {declared} comments and none was found",
    )
