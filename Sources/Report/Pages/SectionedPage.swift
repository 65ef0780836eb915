import Diagnostics

/// A page whose maker chooses the sections and their order.
///
///     SectionedPage(
///         kind: "Audit", title: "letter", findings: ["About 4 % of the labels are wrong."],
///         sections: [.init("The most suspicious", [.gallery(worst)])])
package struct SectionedPage: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        case gallery(Gallery)
        case table(TableModel)
        case chart(CurveChart)
        case heatMap(HeatMap)
    }

    package struct Section: Equatable, Sendable {
        package var heading: String
        /// Sentences under the heading.
        package var lines: [String]
        package var contents: [Content]
        /// Whether contents stand side by side where there is room.
        package var isGrid: Bool
        /// Whether it opens only when asked for.
        package var isFolded: Bool

        package init(
            _ heading: String, lines: [String] = [], _ contents: [Content], isGrid: Bool = false,
            isFolded: Bool = false
        ) {
            (self.heading, self.lines, self.contents) = (heading, lines, contents)
            (self.isGrid, self.isFolded) = (isGrid, isFolded)
        }
    }

    /// A word above the title.
    package var kind: String
    package var title: String
    package var subtitle: String
    package var warnings: [String]
    /// The heading of the findings.
    package var answer: String
    package var findings: [String]
    /// Those without contents and lines are left out.
    package var sections: [Section]
    /// Folded, like the recipe.
    package var facts: [Fact]
    package var recipe: String

    package init(
        kind: String, title: String, subtitle: String = "", warnings: [String] = [],
        answer: String = "Findings", findings: [String] = [], sections: [Section] = [],
        facts: [Fact] = [], recipe: String = ""
    ) {
        (self.kind, self.title, self.subtitle) = (kind, title, subtitle)
        (self.warnings, self.answer, self.findings) = (warnings, answer, findings)
        (self.sections, self.facts, self.recipe) = (sections, facts, recipe)
    }

    /// One file with its style and drawings inside; it loads nothing and runs nothing.
    package func html() throws(Problem) -> String {
        var view = PageView(
            kind: kind, title: title, subtitle: subtitle, warnings: warnings, findings: findings,
            sections: sections.map { section in
                var shown = PageView.Section(
                    heading: section.heading, layout: section.isGrid ? "grid" : "stack",
                    folded: section.isFolded)
                shown.lines = section.lines
                shown.contents = section.contents.map { content in
                    switch content {
                    case .gallery(let gallery): .init(gallery: .init(gallery))
                    case .table(let table): .init(table: .init(table))
                    case .chart(let chart): .init(figure: .init(chart, note: chart.note))
                    case .heatMap(let map): .init(figure: .init(map, note: map.note))
                    }
                }
                return shown
            }, facts: facts, recipe: recipe, folded: true)
        view.answer = answer
        return try Templates.render(view)
    }
}
