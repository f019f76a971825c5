"""The site in a browser: sort, filter, deep links, themes, a phone's width, the keyboard, and axe's rules.

Pages are opened from a folder. The browser is Chromium or Chrome, wherever it is installed; `.ci/run`
installs Debian's. Without one these tests are skipped.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = {"desktop": 1280, "phone": 390}
SERIOUS = {"serious", "critical"}


@dataclass
class Browser:
    """Opens pages of a site, and keeps what they complain of."""

    chromium: Any
    folder: Path
    said: list[str] = field(default_factory=list)

    def open(self, name: str, *, width: int = 1280, theme: str = "light") -> Any:
        file, mark, rest = re.fullmatch(r"([^?#]*)([?#]?)(.*)", name).groups()  # type: ignore[union-attr]
        context = self.chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        page = context.new_page()
        page.on("console", lambda message: self.said.append(f"{name}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"{name}: {error}"))
        page.on("requestfailed", lambda request: self.said.append(f"{name}: {request.url}"))
        page.goto(f"{(self.folder / file).as_uri()}{mark}{rest}")
        return page


@pytest.fixture(scope="module")
def browser(real: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    driver = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium here: 'apt-get install chromium', or Chrome")
    folder = tmp_path_factory.mktemp("site")
    for name, content in real.items():
        (folder / name).write_bytes(content)
    with driver.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield Browser(chromium, folder)
        chromium.close()


def column(page: Any, table: str, heading: str) -> list[str]:
    """The words of the rows that are shown, below a heading."""
    words: list[str] = page.eval_on_selector_all(
        f"#{table} tbody tr:not([hidden])",
        f"(rows) => {{ const heads = [...document.querySelectorAll('#{table} thead th')];"
        f" const i = heads.findIndex((head) => head.textContent.startsWith('{heading}'));"
        " return rows.map((row) => row.cells[i].textContent.trim()); }",
    )
    return words


def press(page: Any, table: str, heading: str) -> str:
    """Press a heading by the keyboard, and return how the table is then sorted by it."""
    head = page.locator(f"#{table} thead th", has_text=re.compile(f"^{re.escape(heading)}")).first
    head.locator("button").focus()
    page.keyboard.press("Enter")
    sorted_by: str = head.get_attribute("aria-sort")
    return sorted_by


def longest(page: Any) -> str:
    """The table of the first page with the most rows."""
    name: str = page.evaluate(
        "() => [...document.querySelectorAll('table[data-rows]')]"
        ".sort((a, b) => b.tBodies[0].rows.length - a.tBodies[0].rows.length)[0].id"
    )
    return name


def test_a_heading_sorts_by_numbers_and_says_so(browser: Browser) -> None:
    page = browser.open("index.html")
    table = longest(page)
    before = column(page, table, "SSIM")
    assert press(page, table, "SSIM") == "ascending"
    assert [float(x) for x in column(page, table, "SSIM")] == sorted(map(float, before))
    assert press(page, table, "SSIM") == "descending"
    assert [float(x) for x in column(page, table, "SSIM")] == sorted(map(float, before), reverse=True)
    assert press(page, table, "SSIM") == "none"
    assert column(page, table, "SSIM") == before


def test_words_filter_rows_and_the_address_keeps_them(browser: Browser) -> None:
    page = browser.open("index.html")
    everywhere = page.locator("table[data-rows] tbody tr").count()
    page.get_by_label("Filter rows").fill("advmask black-box")
    shown = page.locator("table[data-rows] tbody tr:not([hidden])")
    assert 0 < shown.count() < everywhere
    assert all("advmask" in row for row in shown.all_inner_texts())
    assert page.get_by_role("status").inner_text() == f"{shown.count()} of {everywhere} rows"
    assert "q=advmask+black-box" in page.url
    again = browser.open(f"index.html?{page.url.partition('?')[2]}")
    assert again.locator("table[data-rows] tbody tr:not([hidden])").count() == shown.count()


def test_a_sorted_view_can_be_sent_on(browser: Browser) -> None:
    page = browser.open("index.html")
    table = longest(page)
    press(page, table, "SSIM")
    again = browser.open(f"index.html?{page.url.partition('?')[2]}")
    assert column(again, table, "SSIM") == column(page, table, "SSIM")


@pytest.mark.parametrize(
    "query", ["?sort=t0.99.ascending", "?sort=<script>", "?q=%3Cimg%20src=x%3E", "?sort=x.-1.up"]
)
def test_an_address_of_nonsense_does_no_harm(browser: Browser, query: str) -> None:
    page = browser.open(f"index.html{query}")
    assert page.locator("table[data-rows]").count() > 1
    assert page.locator("img[src=x]").count() == 0


def test_a_number_leads_to_its_record_and_the_record_opens(browser: Browser) -> None:
    page = browser.open("index.html")
    link = page.locator("table[data-rows] td a[href^='records-']").first
    rate = link.inner_text().partition(" ")[0].strip("≥≤ ")
    link.click()
    page.wait_for_url("**/records-*.html#c-*")
    target = page.locator(":target")
    assert target.locator("details").get_attribute("open") is not None
    assert target.is_visible()
    values = [float(x) for x in target.locator("td[data-v]").all_inner_texts() if re.fullmatch(r"[\d.]+", x)]
    assert float(rate) in [round(value, 2) for value in values]


def test_a_mark_of_a_figure_leads_to_its_record(browser: Browser) -> None:
    page = browser.open("index.html")
    page.locator("figure svg a").first.click()
    page.wait_for_url("**/records-*.html#c-*")
    assert page.locator(":target").count() == 1


def test_a_theme_is_chosen_and_kept(browser: Browser) -> None:
    page = browser.open("index.html", theme="light")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    for theme in ("light", "dark"):
        page.locator("#theme").click()
        assert page.locator("#theme").inner_text() == f"Theme: {theme}"
    assert page.evaluate(paper) != light
    page.get_by_role("link", name="Method", exact=True).click()
    page.wait_for_url("**/method.html?theme=dark")
    assert page.locator("#theme").inner_text() == "Theme: dark"
    assert browser.open("index.html", theme="dark").evaluate(paper) == page.evaluate(paper)


@pytest.mark.parametrize("kind", ["index", "method", "track", "defense", "attacker", "encoder", "records"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_no_page_is_wider_than_a_phone(
    browser: Browser, kind: str, theme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    name = min(path.name for path in browser.folder.glob(f"{kind}*.html"))
    for width in WIDTHS.values():
        page = browser.open(name, width=width, theme=theme)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        found = axe.run(page).response["violations"]
        assert not [
            (rule["id"], rule["nodes"][0]["html"][:200]) for rule in found if rule["impact"] in SERIOUS
        ]


def test_the_first_thing_that_tab_reaches_skips_to_the_content(browser: Browser) -> None:
    page = browser.open("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the content"


def test_without_scripts_everything_is_there_to_read(browser: Browser) -> None:
    context = browser.chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((browser.folder / "index.html").as_uri())
    assert page.locator("table[data-rows] tbody tr").count() > 5
    assert not page.locator("#filter").is_visible()


def test_no_page_complains(browser: Browser) -> None:
    for path in sorted(browser.folder.glob("*.html"))[:20]:
        browser.open(path.name)
    assert browser.said == []
