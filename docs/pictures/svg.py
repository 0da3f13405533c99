# SPDX-License-Identifier: Apache-2.0
"""A few shapes in SVG, for the pictures of the documents. The text is the same for the same calls on any machine. A
picture brings its own background and follows the reader's light or dark colour scheme."""

# name: (light, dark)
COLOURS = {
    "page": ("#ffffff", "#15191f"),
    "ink": ("#1c2430", "#e8ecf1"),
    "quiet": ("#596474", "#a3aebb"),
    "line": ("#7b8796", "#7f8b9a"),
    "grid": ("#e3e7ec", "#2a313a"),
    "panel": ("#f5f7f9", "#1d232b"),
    "soft": ("#e6f0fb", "#1b3048"),
    "soft_edge": ("#3f7fc4", "#5f9fe0"),
    "hard": ("#fdf1dd", "#3b2f18"),
    "hard_edge": ("#c08426", "#d8a24c"),
    "store": ("#e8f5ea", "#1b3524"),
    "store_edge": ("#43935a", "#62b57b"),
    "series0": ("#2f6db5", "#6aa9ec"),
    "series1": ("#b86a12", "#e2a24a"),
    "series2": ("#2f8a52", "#67c28a"),
}
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Picture:
    def __init__(self, width, height, title):
        self.size, self.title, self.parts = (width, height), title, []

    def box(self, x, y, width, height, fill, edge=None, radius=6):
        classes = f"f-{fill}" + (f" s-{edge}" if edge else "")  # a fill that is no colour: none
        self.parts.append(f'<rect class="{classes}" fill="none" x="{number(x)}" y="{number(y)}" width="{number(width)}" '
                          f'height="{number(height)}" rx="{radius}"/>')

    def text(self, x, y, text, colour="ink", size=13, anchor="middle", bold=False, turn=0):
        weight = ' font-weight="600"' if bold else ""
        rotate = f' transform="rotate({turn} {number(x)} {number(y)})"' if turn else ""
        self.parts.append(f'<text class="f-{colour}" x="{number(x)}" y="{number(y)}" font-size="{size}" '
                          f'text-anchor="{anchor}"{weight}{rotate}>{escape(text)}</text>')

    def line(self, points, colour="line", width=1.5, arrow=False, back=False, dashed=False):
        path = " ".join(("M" if i == 0 else "L") + f"{number(x)} {number(y)}" for i, (x, y) in enumerate(points))
        extra = (' marker-end="url(#end)"' if arrow else "") + (' marker-start="url(#begin)"' if back else "")
        extra += ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(f'<path class="s-{colour}" fill="none" stroke-width="{width}" d="{path}"{extra}/>')

    def dot(self, x, y, colour, radius=3.5):
        self.parts.append(f'<circle class="f-{colour}" cx="{number(x)}" cy="{number(y)}" r="{radius}"/>')

    def labelled_box(self, x, y, width, height, fill, edge, title, *notes):
        """A box with a bold title and smaller lines under it, centred."""
        self.box(x, y, width, height, fill, edge)
        top = y + height / 2 - 8 * len(notes) + 5
        self.text(x + width / 2, top, title, bold=True)
        for i, note in enumerate(notes):
            self.text(x + width / 2, top + 17 + 16 * i, note, "quiet", 11.5)

    def svg(self, scheme="auto"):
        """`scheme`: auto (follows the reader), light, dark."""
        def rules(which):
            return "\n".join(f".f-{name} {{ fill: {pair[which]} }} .s-{name} {{ stroke: {pair[which]} }}"
                             for name, pair in COLOURS.items())
        style = rules(1 if scheme == "dark" else 0)
        if scheme == "auto":
            style += "\n@media (prefers-color-scheme: dark) {\n" + rules(1) + "\n}"
        width, height = self.size
        arrow = '<path class="f-line" d="M0 0L8 4L0 8z"/>'
        marker = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                f'height="{height}" font-family="{FONT}" role="img">\n<title>{escape(self.title)}</title>\n'
                f"<style>\n{style}\n</style>\n<defs>\n"
                f'<marker id="end" {marker} orient="auto">{arrow}</marker>\n'
                f'<marker id="begin" {marker} orient="auto-start-reverse">{arrow}</marker>\n</defs>\n'
                f'<rect class="f-page" width="{width}" height="{height}" rx="8"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")
