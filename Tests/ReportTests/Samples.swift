import Files
import Foundation
import Testing

@testable import Report

/// Made-up pages as large and as awkward as real ones. With `REPORT_SAMPLES=FOLDER` set, they
/// are written there, to be looked at in a browser.
enum Samples {
    static let classes = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot",
    ]

    /// Noise in [-1, 1] without a generator: the fractional part of a sine.
    static func wobble(_ i: Int, _ seed: Int) -> Double {
        let x = sin(Double(i) * 12.9898 + Double(seed) * 78.233) * 43758.5453
        return 2 * (x - x.rounded(.down)) - 1
    }

    static func curve(_ name: String, from: Double, to: Double, rate: Double, seed: Int) -> Curve {
        let x = (1...30).map(Double.init)
        let seeds = (0..<3).map { s in
            x.map { e in
                to + (from - to) * exp(-e * rate) + 0.012 * wobble(Int(e), seed * 10 + s)
            }
        }
        return Curve(name: name, x: x, seeds: seeds)
    }

    static let names = [
        "cross-entropy", "cross-entropy, well regularised", "cross-entropy + EMA",
        "distillation, noisy teacher", "self-distillation, 2 stages, soft",
        "self-distillation, 2 stages, hard", "self-distillation, 3 stages, soft",
        "self-distillation, 3 stages, hard",
    ]
    static let ends = [0.652, 0.801, 0.742, 0.703, 0.768, 0.757, 0.812, 0.789]

    static var accuracy: CurveChart {
        CurveChart(
            title: "Test accuracy while training", xLabel: "epoch", yLabel: "test accuracy",
            curves: names.indices.map {
                curve(names[$0], from: 0.25, to: ends[$0], rate: 0.25, seed: $0)
            }, note: "Mean over 3 seeds; the band is one standard deviation.")
    }

    static var loss: CurveChart {
        var train = curve("training", from: 2.3, to: 0.6, rate: 0.12, seed: 21)
        train.mean[11] = .nan
        return CurveChart(
            title: "Loss", xLabel: "epoch", yLabel: "cross-entropy (nats)",
            curves: [train, curve("validation", from: 2.2, to: 1.4, rate: 0.3, seed: 22)])
    }

    static var sweep: CurveChart {
        let x = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
        return CurveChart(
            title: "Weight decay", xLabel: "weight decay", yLabel: "validation accuracy (%)",
            curves: [
                Curve(
                    name: "cross-entropy", x: x, mean: [40, 41, 43.5, 46, 47.9, 47.2, 39],
                    sd: [1, 1, 0.8, 0.7, 0.6, 0.9, 2])
            ], yRange: 38...49, xScale: .log)
    }

    static var confusion: HeatMap {
        let values = classes.indices.map { r in
            classes.indices.map { c in
                r == c
                    ? Double(380 + Int(90 * wobble(r, 3)))
                    : max(0, (26 * wobble(r * 10 + c, 5)).rounded())
            }
        }
        return HeatMap(
            title: "Confusion on the test split", rowLabels: classes, columnLabels: classes,
            values: values, rowAxis: "clean label", columnAxis: "prediction",
            note: "Counts; rows sum to the samples of a class.")
    }

    static func transition(_ n: Int) -> HeatMap {
        let names = n == 10 ? classes : (0..<n).map { "class \($0)" }
        let values = (0..<n).map { r in
            (0..<n).map { c in
                (r == c ? 0.6 : 0.4 / Double(n - 1)) * (1 + 0.1 * wobble(r * n + c, 7))
            }
        }
        return HeatMap(
            title: "Realised transition matrix, \(n) classes", rowLabels: names,
            columnLabels: names, values: values, format: .percent(1), rowAxis: "clean label",
            columnAxis: "given label")
    }

    static let recipe = """
        # The main job: 40 % symmetric label noise
        data:
          name: fashion-mnist-5k   # embedded
          validation: 0.2
        noise: {kind: symmetric, rate: 0.4}
        model: lenet5
        stages:
          - method: cross-entropy
            epochs: 30
          - method: self-distillation
            pseudo-labels: soft
            temperature: 2.0
        optimizer:
          kind: sgd
          learning-rate: 0.05
          note: "a # that is not a comment"
        seeds: [1, 2, 3]
        """

    static let facts = [
        Fact("seeds", "1, 2, 3"), Fact("realised noise rate, training", "0.3986"),
        Fact("realised noise rate, validation", "0.4020"), Fact("Limbeck", "0.1.0"),
        Fact("LibTorch", "2.13.0+cpu"), Fact("device, precision", "cpu, fp32"),
        Fact("threads", "2"), Fact("training samples", "3,200"),
        Fact("data (SHA-256)", "9f2c41d07b1e55aa83be7c02f4c7d9e1"),
    ]

    static var methods: [MethodResult] {
        names.indices.map { i in
            let last = (0..<3).map { ends[i] + 0.009 * wobble(i, $0 + 40) }
            return MethodResult(
                name: names[i], last: last,
                selected: last.enumerated().map {
                    max($0.element, 0.77) + 0.011 * wobble(i, $0.offset + 80)
                },
                seconds: (0..<3).map { 8.2 + 4 * Double(i) + wobble(i, $0) })
        }
    }

    static var comparison: ComparisonPage {
        ComparisonPage(
            title: "Distillation under 40 % symmetric label noise",
            subtitle: "Fashion-MNIST subset (5,000 images), LeNet-5, 30 epochs, 3 seeds",
            facts: facts,
            warnings: ["The validation split has noisy labels too: its accuracy is a lower bound."],
            groups: [MethodGroup(methods: methods)], charts: [accuracy, loss, sweep],
            heatMaps: [confusion, transition(10)], recipe: recipe)
    }

    static var run: RunPage {
        RunPage(
            title: "self-distillation, 2 stages, soft",
            subtitle: "Fashion-MNIST subset, 40 % symmetric noise, LeNet-5", facts: facts,
            findings: ["The last epoch reaches 76.8 ± 0.7 % on the test split."],
            tables: [
                TableModel(
                    title: "Stages",
                    columns: [
                        .init("stage"), .init("teacher", .trailing), .init("last", .trailing),
                        .init("selected on validation", .trailing),
                    ],
                    rows: [
                        ["0: given labels", "–", "65.2 ± 0.6", "77.0 ± 10.2"],
                        ["1: soft, from stage 0", "65.2", "76.8 ± 0.7", "78.1 ± 0.4"],
                    ])
            ], charts: [accuracy, loss], heatMaps: [transition(20), transition(100)],
            recipe: recipe)
    }
}

@Suite struct SamplePages {
    @Test func render() throws {
        let files = LocalFileSystem()
        let comparison = try Samples.comparison.html()
        let run = try Samples.run.html()
        #expect(comparison.contains("</html>") && run.contains("</html>"))
        guard let folder = ProcessInfo.processInfo.environment["REPORT_SAMPLES"] else { return }
        try files.createDirectory(folder)
        for (name, page) in [("comparison", comparison), ("run", run)] {
            try files.write(Array(page.utf8), to: "\(folder)/\(name).html")
            for theme in ["light", "dark"] {
                let themed = page.replacingOccurrences(
                    of: "<html lang", with: "<html data-theme=\"\(theme)\" lang")
                try files.write(Array(themed.utf8), to: "\(folder)/\(name)-\(theme).html")
            }
        }
        let drawings = [
            ("curves", Samples.accuracy.svg()),
            ("dots", Samples.comparison.plot(of: Samples.comparison.groups[0]).svg()),
            ("heat", Samples.confusion.svg()),
        ]
        for (name, text) in drawings {
            try files.write(Array(text.utf8), to: "\(folder)/\(name).svg")
        }
    }
}
