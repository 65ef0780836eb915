import ArgumentParser
import Datasets
import Diagnostics
import Foundation
import Report
import RunReports
import Torch
import Training

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a trained network: accuracy, top-5, NLL, calibration error, per class.",
        discussion: """
            MODEL is a run folder or a .safetensors file that limbeck wrote. A run folder brings its own \
            data; otherwise say what to measure on.

            Example: limbeck evaluate runs/first --part test
            """)

    enum Part: String, ExpressibleByArgument, CaseIterable { case train, validation, test }

    @Argument(help: "A run folder or a weights file.")
    var model: String

    @OptionGroup var samples: EvaluationArguments

    @Option(
        help:
            "train, validation or test (default), of a run's or a recipe's data. Labels are the given (noisy) ones, but for test."
    )
    var part: Part?

    @Option(help: "Engine threads.")
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws { try checkThreads(threads) }

    private struct Result: Encodable {
        /// `clean` where the labels are known to be right, else `given`.
        var labels: String
        var accuracy: Double
        var top5: Double
        var nll: Double
        var ece: Double
        var samples: Int
        var perClass: [String: Double]
        enum CodingKeys: String, CodingKey {
            case labels, accuracy, top5, nll, ece, samples
            case perClass = "per_class"
        }
    }

    func run() throws {
        try samples.check()
        Engine.threads = threads
        let saved = try SavedModel(path: model)
        let (data, members, wrong) = try chosen(saved)
        let evaluation = try saved.evaluate(data, members: members)
        if json {
            let classes = zip(saved.card.classNames, evaluation.perClass)
            return Console.print(
                json: Result(
                    labels: wrong == 0 ? "clean" : "given", accuracy: evaluation.accuracy,
                    top5: evaluation.top5, nll: evaluation.nll,
                    ece: evaluation.ece, samples: evaluation.samples,
                    perClass: Dictionary(
                        classes.compactMap { name, value in value.map { (name, $0) } },
                        uniquingKeysWith: { first, _ in first })))
        }
        var table = TableModel(columns: [.init("measure"), .init("value", .trailing)])
        table.rows = [
            ["accuracy", percent(evaluation.accuracy)], ["top-5", percent(evaluation.top5)],
            ["NLL (nats)", Numbers.fixed(evaluation.nll, 4)],
            ["ECE (15 bins)", Numbers.fixed(evaluation.ece, 4)],
            ["samples", "\(evaluation.samples)"],
        ]
        for (name, value) in zip(saved.card.classNames, evaluation.perClass) {
            table.rows.append(["  \(name)", value.map(percent) ?? "no sample"])
        }
        Console.print(TextTable(table).render())
        guard wrong != 0 else { return }
        let noise = wrong.map { "\($0) of \(members.count) are known to be wrong" }
        Console.print(
            "Labels are the given ones, and \(noise ?? "nothing is known of their noise"): "
                + "accuracy is agreement with them.")
    }

    /// What to measure on, and how many of its labels are wrong; nil where nobody knows.
    private func chosen(_ saved: SavedModel) throws -> (Dataset, [Int], wrong: Int?) {
        if let data = try samples.samples(for: saved) {
            if part != nil {
                throw Problem.optionWithoutUse("--part", for: "samples that were not split")
            }
            let members = Array(0..<data.count)
            return (data, members, wrongLabels(of: data, members))
        }
        guard let path = samples.recipe ?? ownRecipe else { throw Problem.noData() }
        let file = try RecipeFile(path: path)
        let recipe = try file.decoded(Recipe.self)
        let prepared = try file.placing {
            try PreparedData(recipe)
        }
        let (data, members) =
            switch part ?? .test {
            case .train: (prepared.learning, prepared.split.train)
            case .validation: (prepared.learning, prepared.split.validation)
            case .test: (prepared.test, prepared.testMembers)
            }
        // What stands beside the labels is clean only where that is known.
        guard prepared.knowsClean else { return (data, members, nil) }
        return (data, members, wrongLabels(of: data, members) ?? 0)
    }

    private func wrongLabels(of data: Dataset, _ members: [Int]) -> Int? {
        data.clean.map { clean in members.count { clean[$0] != data.labels[$0] } }
    }

    private var ownRecipe: String? {
        let path = "\(model)/recipe.yaml"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }
}
