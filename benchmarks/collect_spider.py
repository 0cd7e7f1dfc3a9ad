"""
The Scrapy side of benchmarks/collect_speed.py: the same pages, the same fields, the usual way.

    python benchmarks/collect_spider.py html|rest BASE TARGET.jsonl

Needs Scrapy and nothing of ours, so that it may live in an environment of its own. Prints one JSON
line: seconds and CPU seconds between the first and the last event of the spider.
"""

import html
import json
import re
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy import signals
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response
from w3lib.html import remove_tags

ROWS = {"per_page": "100", "order": "asc", "orderby": "date_gmt", "_embed": "up"}


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Timed(scrapy.Spider):
    """Notes when it opened and closed."""

    base = ""
    spent: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> "Timed":
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.opened, signals.spider_opened)
        crawler.signals.connect(spider.ended, signals.engine_stopped)
        return spider

    def opened(self) -> None:
        self.began = time.perf_counter(), cpu()

    def ended(self) -> None:
        seconds, used = self.began
        self.spent |= {"seconds": time.perf_counter() - seconds, "cpu": cpu() - used}


class Pages(Timed):
    """The feed of articles, then every article's comments."""

    name = "pages"

    async def start(self) -> Any:
        yield scrapy.Request(f"{self.base}/feed/", self.parse_feed, cb_kwargs={"number": 1})

    def parse_feed(self, response: Response, number: int) -> Iterator[scrapy.Request]:
        links = response.xpath("//item/link/text()").getall()
        for link in links:
            yield scrapy.Request(link, self.parse_article)
        if links:
            url = f"{self.base}/feed/?paged={number + 1}"
            yield scrapy.Request(url, self.parse_feed, cb_kwargs={"number": number + 1})

    def parse_article(self, response: Response) -> Iterator[dict[str, Any]]:
        for item in response.css("ol.comment-list li.comment"):
            body = item.xpath("./article")
            above = item.xpath("./ancestor::li[1]/@id").get()
            written = body.css("time::attr(datetime)").get("")
            paragraphs = body.css(".comment-content p")
            yield {
                "id": item.attrib["id"].removeprefix("comment-"),
                "author": "".join(body.css("b.fn ::text").getall()).strip(),
                "published_at": utc(datetime.fromisoformat(written)),
                "text": "\n\n".join("".join(p.css("::text").getall()).strip() for p in paragraphs),
                "url": body.css(".comment-metadata a::attr(href)").get(),
                "parent": above.removeprefix("comment-") if above else None,
            }


class Rest(Timed):
    """The REST API: once the first page has told how many there are, all others side by side."""

    name = "rest"

    async def start(self) -> Any:
        yield self.page(1)

    def page(self, number: int) -> scrapy.Request:
        query = urlencode({**ROWS, "page": str(number)})
        return scrapy.Request(f"{self.base}/wp-json/wp/v2/comments?{query}", self.parse)

    def parse(self, response: Response) -> Iterator[Any]:
        if "page=1&" in f"{response.url}&":
            pages = int(response.headers["X-WP-TotalPages"])
            yield from (self.page(number) for number in range(2, pages + 1))
        for row in response.json():
            yield {
                "id": str(row["id"]),
                "author": html.unescape(row["author_name"]),
                "published_at": utc(datetime.fromisoformat(row["date_gmt"]).replace(tzinfo=UTC)),
                "text": plain(row["content"]["rendered"]),
                "url": row["link"],
                "parent": str(row["parent"]) if row["parent"] else None,
            }


def plain(markup: str) -> str:
    text = html.unescape(remove_tags(markup))
    return re.sub(r"\n+", "\n\n", text.strip())


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def main(way: str, base: str, target: str) -> None:
    """Politeness off, as in ours; else Scrapy's defaults, less its logs and console."""
    process = CrawlerProcess(
        {
            "ROBOTSTXT_OBEY": False,
            "DOWNLOAD_DELAY": 0,
            "CONCURRENT_REQUESTS": 16,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
            "COOKIES_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "LOG_ENABLED": False,
            "FEEDS": {target: {"format": "jsonlines", "encoding": "utf-8"}},
        }
    )
    spider = {"html": Pages, "rest": Rest}[way]
    spent: dict[str, float] = {}
    process.crawl(spider, base=base, spent=spent)
    process.start()
    print(json.dumps(spent))


if __name__ == "__main__":
    main(*sys.argv[1:4])
