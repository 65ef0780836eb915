"""The claims as one small picture: what was gained where a method helps, and where it does not."""

import html
import pathlib

WIDTH, LEFT, RIGHT, ROW, TOP = 800, 390, 110, 22, 34
STYLE = """<style>
text{font:12px system-ui,sans-serif;fill:#1f2933}.muted{fill:#52606d}.head{font-weight:600}
line{stroke:#9aa5b1}.zero{stroke:#52606d}.bar{stroke:#0b69a3;stroke-width:2}circle{stroke:#0b69a3;stroke-width:2}
@media (prefers-color-scheme:dark){text{fill:#e4e7eb}.muted{fill:#9aa5b1}.bar,circle{stroke:#5ed0fa}}
</style>"""


def run(check):
    if check.options.picture is None or not check.figures:
        return
    pathlib.Path(check.options.picture).write_text(drawn(check.figures))
    print(f"        picture: {check.options.picture}", flush=True)


def drawn(figures):
    """An SVG: gains in points with their standard errors, filled where the method helps; costs as words."""
    gains = [f for f in figures if "mean" in f]
    low = min([0] + [f["mean"] - f["error"] for f in gains])
    high = max([1] + [f["mean"] + f["error"] for f in gains])
    scale = (WIDTH - LEFT - RIGHT) / (high - low)

    def x(value):
        return LEFT + (value - low) * scale

    height = TOP + ROW * len(figures) + 30
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
             'aria-label="Gains of five methods where they help and where they do not">', STYLE,
             f'<text class="head" x="{x(0):.0f}" y="16" text-anchor="middle">gain in points</text>',
             f'<line class="zero" x1="{x(0):.1f}" y1="24" x2="{x(0):.1f}" y2="{height - 26}"/>']
    last = None
    for i, figure in enumerate(figures):
        y = TOP + ROW * i + 12
        if figure["method"] != last:
            parts.append(f'<text class="head" x="0" y="{y + 4}">{html.escape(figure["method"])}</text>')
            last = figure["method"]
        parts.append(f'<text class="muted" x="124" y="{y + 4}">{html.escape(figure["words"])}</text>')
        if "times" in figure:
            parts.append(f'<text x="{x(0) + 10:.1f}" y="{y + 4}">{figure["times"]:.1f} times NAYER\'s search; {figure["gap"]}</text>')
            continue
        mean, error = figure["mean"], figure["error"]
        fill = "#0b69a3" if figure["helps"] else "none"
        parts += [f'<line class="bar" x1="{x(mean - error):.1f}" y1="{y}" x2="{x(mean + error):.1f}" y2="{y}"/>',
                  f'<circle cx="{x(mean):.1f}" cy="{y}" r="4" fill="{fill}"/>',
                  f'<text x="{max(x(mean + error), x(0)) + 8:.1f}" y="{y + 4}">{mean:+.1f} ± {error:.1f}</text>']
    parts += [f'<text class="muted" x="0" y="{height - 6}">Filled: where it helps. Hollow: where it does not. '
              'Mean ± standard error, paired.</text>', "</svg>\n"]
    return "\n".join(parts)
