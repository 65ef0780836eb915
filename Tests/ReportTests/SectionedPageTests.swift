import Foundation
import Testing

@testable import Report

@Suite struct SectionedPageTests {
    private func picture(_ bytes: [UInt8], _ width: Int, _ height: Int, _ channels: Int = 1)
        -> Gallery.Picture
    {
        Gallery.Picture(width: width, height: height, channels: channels, bytes: bytes)
    }

    /// Each pixel is the mean of those that it stands for, also at edges that do not divide.
    @Test func picturesShrink() {
        let small = picture([0, 10, 20, 30, 40, 51], 3, 2).fitted(to: 2)
        #expect((small.width, small.height) == (2, 1) && small.bytes == [20, 36])
        let colour = picture([0, 4, 8, 8, 100, 100, 100, 100, 1, 1, 1, 1], 2, 2, 3).fitted(to: 1)
        #expect(colour.bytes == [5, 100, 1] && colour.channels == 3)
        let own = picture([1, 2], 2, 1)
        #expect(
            own.fitted() == own && own.scale == 42
                && picture(.init(repeating: 0, count: 200), 200, 1).scale == 1)
    }

    @Test func picturesArePNG() {
        let file = Data(base64Encoded: String(picture([1, 2, 3], 1, 1, 3).source.dropFirst(22)))
        #expect(file?.prefix(4) == Data([0x89, 0x50, 0x4e, 0x47]) && file?[25] == 2)
        #expect(
            Data(base64Encoded: String(picture([1, 2], 1, 1, 2).source.dropFirst(22)))?[25] == 0)
    }

    @Test func contentsKeepTheirOrder() throws {
        let bad = FigureTests.hostile
        let table = TableModel(title: "T", columns: [.init("a")], rows: [["1"]])
        let page = SectionedPage(
            kind: "Audit", title: "A", answer: "Which?", findings: ["f"],
            sections: [
                .init(
                    "One", lines: [bad],
                    [
                        .chart(CurveChart(title: "C", xLabel: "x", yLabel: "y", curves: [])),
                        .table(table),
                        .gallery(
                            Gallery(
                                title: "G",
                                items: [
                                    .init(
                                        picture: picture([7], 1, 1), text: bad, name: bad,
                                        value: bad, before: bad, after: bad, notes: [bad])
                                ], note: bad)),
                        .heatMap(
                            HeatMap(
                                title: "H", rowLabels: [], columnLabels: [], values: [[1]],
                                rowAxis: "r", columnAxis: "c")),
                    ], isGrid: true),
                .init("Two", [], isFolded: true), .init("Three", [.table(table)], isFolded: true),
            ])
        let html = try page.html()
        let seen = try #require(WellFormed.read(html))
        #expect(seen.elements["script"] == nil && seen.elements["img"] == 1)
        var rest = html[...]
        for part in [
            "<h2>Which?</h2>", "<h2>One</h2>", "<div class=\"grid\">", "<h3>C</h3>", "<h3>T</h3>",
            "<h3>G</h3>", "<ul class=\"gallery broad\">", "<h3>H</h3>",
            "<details><summary><h2>Three</h2>",
        ] {
            let place = try #require(rest.firstRange(of: part), "\(part)")
            rest = rest[place.upperBound...]
        }
        #expect(!html.contains("<h2>Two"))
    }

    /// A band that is not the same to both sides goes before the standard deviation.
    @Test func bandsMayBeUneven() throws {
        let curve = Curve(
            name: "a", x: [1, 2, 3], mean: [5, 6, 7], sd: [1, 1, 1], low: [4, .nan, 7],
            high: [9, 9, 6])
        let points = CurvePoints(curve, log: false).all
        #expect(points.map(\.band) == [4...9, 5...7, 6...8])
        let back = try JSONDecoder().decode(Curve.self, from: JSONEncoder().encode(curve))
        #expect(back.low?[0] == 4 && back.low?[1].isNaN == true && back.high == [9, 9, 6])
        let chart = CurveChart(title: "", xLabel: "x", yLabel: "y", curves: [curve])
        #expect(chart.svg().contains("class=\"band\""))
    }
}
