import Diagnostics
import Files
import Foundation
import Testing

@testable import Report

@Suite struct PageTests {
    @Test func pagesAreWellFormedAndAlone() throws {
        let theory = TheoryPage(
            title: "A < B", facts: [Fact("alpha", "3")], warnings: ["w"], findings: ["f"],
            charts: Samples.run.charts, heatMaps: Samples.run.heatMaps)
        for page in [try Samples.comparison.html(), try Samples.run.html(), try theory.html()] {
            let seen = try #require(WellFormed.read(page))
            #expect(seen.elements["script"] == nil && seen.elements["html"] == 1)
            #expect(!page.contains("http:") && !page.contains("https:"))
            #expect(!page.contains("url(") && !page.contains("@import"))
            let loads = seen.attributes.filter { $0.hasPrefix("src=") || $0.hasPrefix("href=") }
            #expect(loads == ["href=data:,"])
            #expect(page.contains("prefers-color-scheme:dark") && page.contains("@media print"))
        }
    }

    /// What leads stands before the methods, and a sentence in a cell may break.
    @Test func whatLeadsComesFirst() throws {
        var page = ComparisonPage(
            title: "A",
            groups: [
                MethodGroup(methods: [
                    MethodResult(name: "m", last: [0.7], selected: [], seconds: [])
                ])
            ])
        let reason = String(repeating: "because it is so ", count: 4)
        page.lead = [
            TableModel(title: "First", columns: [.init("a"), .init("why")], rows: [["x", reason]])
        ]
        let html = try page.html()
        let (lead, methods) = (
            html.firstRange(of: "<h3>First"), html.firstRange(of: "Methods</h2>")
        )
        let (first, second) = (try #require(lead), try #require(methods))
        #expect(first.lowerBound < second.lowerBound)
        #expect(html.contains("<td class=\"long\">because") && html.contains("<td>x</td>"))
    }

    @Test func comparisonSaysWhatItShould() throws {
        let page = ComparisonPage(
            title: "A < B", findings: ["One."],
            groups: [
                MethodGroup(methods: [
                    MethodResult(
                        name: "m", last: [0.7, 0.72, 0.74], selected: [0.75], seconds: [10, 12])
                ])
            ])
        let html = try page.html()
        #expect(html.contains("<h1>A &lt; B</h1>") && html.contains("<li>One.</li>"))
        #expect(html.contains("<td class=\"right\">72.0 ± 2.0</td>"))
        #expect(html.contains("<td class=\"right\">75.0</td>"))
        #expect(html.contains("<td class=\"right\">11.0 ± 1.4</td>"))
        for absent in ["Before you read on", "Recipe", "Curves", "How it was made"] {
            #expect(!html.contains(absent))
        }
    }

    @Test func hostileTextStaysText() throws {
        let bad = FigureTests.hostile
        let table = TableModel(title: bad, columns: [.init(bad)], rows: [[bad]], note: bad)
        let chart = CurveChart(
            title: bad, xLabel: bad, yLabel: bad, curves: [Curve(name: bad, x: [1], mean: [1])],
            note: bad)
        let html = try RunPage(
            title: bad, subtitle: bad, facts: [Fact(bad, bad)], warnings: [bad], findings: [bad],
            tables: [table], charts: [chart], recipe: "\(bad): \(bad) # \(bad)\n{{title}}"
        ).html()
        let seen = try #require(WellFormed.read(html))
        #expect(seen.elements["script"] == nil)
        #expect(!seen.attributes.contains { $0.hasPrefix("onload") })
        #expect(seen.text.contains("{{title}}"))
    }

    @Test func emptyPagesRender() throws {
        #expect(WellFormed.read(try RunPage(title: "").html()) != nil)
        #expect(WellFormed.read(try ComparisonPage(title: "", groups: []).html()) != nil)
    }

    /// The parts of a line together are the line, so the recipe can be copied from the page.
    @Test func recipeLines() throws {
        func parts(_ line: String) -> [String] {
            let line = RecipeLine(line)
            return [line.lead, line.key ?? "", line.rest, line.comment ?? ""]
        }
        #expect(parts("  - method: ce  # first") == ["  - ", "method:", " ce  ", "# first"])
        #expect(parts("note: \"a # b\"") == ["", "note:", " \"a # b\"", ""])
        for line in Samples.recipe.split(separator: "\n").map(String.init) + [
            "", "-", ":", "a:b", "# x",
        ] {
            #expect(parts(line).joined() == line)
        }
        #expect(try #require(WellFormed.read(Samples.run.html())).text.contains(Samples.recipe))
    }

    @Test func writesWhole() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "report-\(UUID().uuidString)"
        ).path
        let files = LocalFileSystem()
        try files.createDirectory(folder)
        defer { try? files.remove(folder) }
        try Samples.comparison.write(to: "\(folder)/index.html", using: files)
        let text = try String(contentsOfFile: "\(folder)/index.html", encoding: .utf8)
        #expect(try text == Samples.comparison.html())
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["index.html"])
    }

    @Test func missingTemplateSentence() {
        #expect(
            "\(Problem.template("page.css", "cannot be read"))"
                == "page.css: the page template cannot be used: cannot be read (the program's "
                + "resource folder must stand beside it)")
    }
}
