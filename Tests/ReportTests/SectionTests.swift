import Foundation
import Testing

@testable import Report

@Suite struct SectionTests {
    private let section = Section(
        title: "Weights", summary: "mean weight 0.5", warnings: ["w"], findings: ["f"],
        tables: [TableModel(columns: [.init("a")], rows: [["1"]])],
        charts: [
            CurveChart(
                title: "c", xLabel: "x", yLabel: "y",
                curves: [Curve(name: "n", x: [1, 2], mean: [0.1, 0.25])])
        ],
        heatMaps: [
            HeatMap(
                title: "h", rowLabels: ["r"], columnLabels: ["c"], values: [[0.5]],
                format: .decimal(2), rowAxis: "row", columnAxis: "column")
        ],
        imageGrids: [
            ImageGrid(
                title: "g", rows: [.init(name: "r", images: [[7]])], columns: [], width: 1,
                height: 1, channels: 1)
        ],
        values: [
            .init("weight", "mean weight", of: "teacher-1", 0.5, .percent(1)),
            .init("auc", "AUC", nil, .decimal(2), largerIsBetter: true),
        ], subject: "teacher", note: "n",
        columns: [.init(name: "weight", numbers: [0.125, nil, .nan, 1.0 / 3])])

    @Test func theWayThroughAFileLosesNothing() throws {
        let json = try JSONEncoder().encode(section)
        #expect(try JSONDecoder().decode(Section.self, from: json) == section)
        #expect(try JSONEncoder().encode(Section(title: "t")) == Data(#"{"title":"t"}"#.utf8))
    }

    @Test func unknownStaysUnknown() throws {
        let value = Section.Value("auc", "AUC", .nan, .decimal(2))
        #expect(value.value == nil)
        let json = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
        #expect(json.contains(#""value":null"#))
        #expect(section.columns[0].cells == ["0.125", "", "", "0.333333"])
        #expect(section.values.map(\.key) == ["weight.teacher-1", "auc"])
    }

    @Test func numbersAreWhatComparisonsKeep() {
        let numbers = section.numbers
        #expect(numbers.values == section.values && numbers.warnings == ["w"])
        #expect(numbers.summary == section.summary && numbers.note == "n")
        #expect(numbers.tables == [] && numbers.charts == [] && numbers.columns == [])
        #expect(numbers.heatMaps == [] && numbers.imageGrids == [] && numbers.findings == [])
    }

    @Test(arguments: [
        (NumberFormat.count, "count", "3"), (.decimal(2), "decimal 2", "3.00"),
        (.percent(1), "percent 1", "300.0"),
    ])
    func formats(_ format: NumberFormat, _ word: String, _ text: String) throws {
        let json = try JSONEncoder().encode([format])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(word)\"]")
        #expect(try JSONDecoder().decode([NumberFormat].self, from: json) == [format])
        #expect(format.text(3) == text)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([NumberFormat].self, from: Data("[\"\(word) x\"]".utf8))
        }
    }

    @Test func estimates() {
        #expect(NumberFormat.percent(1).text(Estimate(mean: 0.712, sd: 0.004)) == "71.2 ± 0.4")
        #expect(NumberFormat.decimal(2).text(Estimate(mean: 0.5, sd: nil)) == "0.50")
    }

    @Test func gridsAreBounded() {
        let row = ImageGrid.Row(name: "r", images: [[1, 2, 3], nil, [4, 5, 6]])
        let grid = ImageGrid(
            title: "g", rows: [row, row, row], columns: [], width: 3, height: 1, channels: 1,
            note: "N.")
        #expect(grid.bounded(to: 18) == grid)
        let few = grid.bounded(to: 17)
        #expect(few.rows == [row, row])
        #expect(few.note == "N. The first 2 of 3 rows: the others would be too large.")
        #expect(grid.bounded(to: 5).rows == [])
    }
}
