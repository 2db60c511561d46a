"""A page as a tree, with queries by tag, attribute and text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Element:
    """A tag with its attributes and its content."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text within, with white space as a browser shows it."""
        return " ".join("".join(self._texts()).split())

    def walk(self) -> Iterator[Element]:
        """This element and everything below it, in the order of the document."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def find_all(self, tag: str, **attributes: str) -> list[Element]:
        """Find elements by tag and attributes; `_` in a name stands for `-`, a last one is dropped."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.walk()
            if element.tag == tag and wanted.items() <= element.attributes.items()
        ]

    def get(self, tag: str, **attributes: str) -> Element:
        """Find the only such element; fail when there are none or several."""
        found = self.find_all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements {tag} {attributes}"
        return found[0]

    def links(self) -> dict[str, str]:
        """Where the links lead, by their text."""
        return {link.text: link.attributes["href"] for link in self.find_all("a")}

    def form_to(self, address: str) -> Element:
        """Find the form that sends to `address`."""
        return self.get("form", action=address)

    def hidden_fields(self) -> dict[str, str]:
        """What is sent along without being shown, by name."""
        fields = self.find_all("input", type="hidden")
        return {field.attributes["name"]: field.attributes["value"] for field in fields}

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._texts()


def parse_html(text: str) -> Element:
    """Parse a page or a part of one; fail where tags are not closed in order."""
    parser = _TreeBuilder()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1, f"never closed: {[element.tag for element in parser.open[1:]]}"
    return parser.open[0]


class _TreeBuilder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("#document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)
