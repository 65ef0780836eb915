import ArgumentParser
import Diagnostics
import Experiments
import Files
import Foundation
import Replica
import Report
import Torch
import Training

struct SelfDistil: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selfdistil",
        abstract: "Measures self-distillation of linear classifiers on frozen features.",
        discussion: """
            Two classes, labels flipped with each --theta, training sets of each --sizes: 0-SD, 1-SD with \
            hard and with soft labels, several stages, and as many of them (or none) as gain more on \
            validation than the standard error of that gain. λ and κ are searched on noisy validation \
            samples, half as many as the training samples. --arms adds fits on the same draws in which \
            samples with doubtful labels count less: turn (split by a mixture over losses, then tune) and \
            centroids (weights from distances to the classes' centroids). FEATURES is a file of limbeck \
            features or a run folder.

            Example: limbeck selfdistil pixels.safetensors --classes 2,4 --sizes 100,300 --theta 0,0.2,0.4
            """)

    @Argument(help: "A features file or a run folder.")
    var features: String

    @Option(help: "Two classes by name or number; the second is the positive one.")
    var classes: String?

    @Option(help: "Training samples, separated by commas.")
    var sizes: String = "100,300,1000"

    @Option(help: "Shares of flipped labels, separated by commas.")
    var theta: String = "0,0.2,0.4"

    @Option(help: "Share of the positive class in the training samples.")
    var rho: Double = 0.5

    @Option(help: "learn, carry (from stage 0), or fixed:VALUE.")
    var bias: String = "learn"

    @Option(help: "Stages after stage 0 where there are several, and the most that are accepted.")
    var stages: Int = 3

    @Option(help: "Draws of samples and flips.")
    var trials: Int = 5

    @Option(help: "Seed of the draws.")
    var seed: UInt64 = 0

    @Flag(
        help:
            "Search on the test labels too, as the paper's code does. No user can reach those numbers."
    )
    var oracle = false

    @Option(help: "Further arms, separated by commas: turn, centroids.")
    var arms: String?

    @Option(help: "Engine threads.")
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @OptionGroup var output: TheoryOutput

    func validate() throws { try checkThreads(threads) }

    func run() throws {
        Engine.threads = threads
        try output.check(inputs: [features])
        let set = try FeatureSet.loaded(features)
        let pair = try set.pair(classes)
        var counts: [Int] = []
        for value in try numbers(sizes, "--sizes") {
            guard let size = Int(exactly: value) else {
                throw Problem.wrongOption("--sizes", sizes, "whole numbers, separated by commas")
            }
            counts.append(size)
        }
        var experiment = FeatureExperiment(
            sizes: counts, noiseRates: try numbers(theta, "--theta"))
        experiment.trials = trials
        experiment.positiveShare = rho
        experiment.bias = try ScheduleArguments.rule(bias)
        experiment.stages = stages
        experiment.oracle = oracle
        experiment.seed = seed
        experiment.others = try Self.others(arms)
        let problem = try TwoClasses(set, pair: pair)
        Interrupts.install()
        var next = 0.1
        let cells = try experiment.run(problem) { (share) throws(Problem) in
            if Interrupts.isRequested { throw .experimentInterrupted() }
            if share >= next {
                Console.say("\(Int((share * 100).rounded())) % done")
                next += 0.1
            }
        }
        let report = SelfDistilReport(
            problem: problem, experiment: experiment, bias: bias, cells: cells)
        try output.publish(report.json, page: report.page)
    }
}

extension SelfDistil {
    /// Arms beside those of self-distillation.
    static func others(_ text: String?) throws(Problem) -> [FeatureExperiment.Arm] {
        guard let text else { return [] }
        let known = FeatureExperiment.Arm.others
        var found: [FeatureExperiment.Arm] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = word.trimmingCharacters(in: .whitespaces)
            guard let arm = known.first(where: { $0.rawValue == name }), !found.contains(arm)
            else {
                throw .wrongOption(
                    "--arms", text,
                    known.map(\.rawValue).joined(separator: ", ") + ", each once at most")
            }
            found.append(arm)
        }
        return found
    }
}

/// The table, chart and JSON of `selfdistil`.
struct SelfDistilReport {
    var problem: TwoClasses
    var experiment: FeatureExperiment
    var bias: String
    var cells: [FeatureExperiment.Cell]

    struct JSON: Encodable {
        struct Cell: Encodable {
            var size: Int
            var theta: Double
            var alpha: Double
            var errors: [String: MeanNumber]
            var gains: [String: MeanNumber]
            /// Stages after stage 0 that were accepted, by trial.
            var accepted: [Int]
            /// By trial, the stages that were tried: the first that was declined is the last.
            var tried: [[Tried]]
        }
        struct Tried: Encodable {
            var stage: Int
            /// On what the search may look at.
            var gain, standardError: Double
            var accepted: Bool
            enum CodingKeys: String, CodingKey {
                case stage, gain, accepted
                case standardError = "standard_error"
            }
        }
        var features: String
        var classes: [String]
        var rho: Double
        var bias: String
        var trials: Int
        /// `validation`, or `test` with --oracle.
        var search: String
        var cells: [Cell]
        /// With --oracle, the same searched on validation.
        var validationCells: [Cell]?
        enum CodingKeys: String, CodingKey {
            case features, classes, rho, bias, trials, search, cells
            case validationCells = "validation_cells"
        }
    }

    private func name(_ arm: FeatureExperiment.Arm) -> String {
        switch arm {
        case .plain: "0-SD"
        case .hard: "1-SD hard"
        case .soft: "1-SD soft"
        case .several: "\(experiment.stages)-SD hard"
        case .auto: "auto hard"
        case .turn: "TURN"
        case .centroids: "centroid weights"
        }
    }

    var json: JSON {
        JSON(
            features: problem.features.source, classes: [problem.negative, problem.positive],
            rho: experiment.positiveShare, bias: bias, trials: experiment.trials,
            search: experiment.oracle ? "test" : "validation",
            cells: cells.map(json),
            validationCells: experiment.oracle ? cells.compactMap(\.onValidation).map(json) : nil)
    }

    private func json(_ cell: FeatureExperiment.Cell) -> JSON.Cell {
        let arms = experiment.arms
        return JSON.Cell(
            size: cell.size, theta: cell.noiseRate, alpha: cell.sampleRatio,
            errors: Dictionary(
                uniqueKeysWithValues: arms.map { (name($0), MeanNumber(cell.error($0))) }),
            gains: Dictionary(
                uniqueKeysWithValues: arms.dropFirst().map {
                    (name($0), MeanNumber(cell.gain($0)))
                }), accepted: cell.trials.map(\.accepted),
            tried: cell.trials.map { trial in
                trial.tried.enumerated().map { k, gain in
                    .init(
                        stage: k + 1, gain: gain.mean, standardError: gain.standardError,
                        accepted: gain.isAccepted)
                }
            })
    }

    private func text(_ mean: FiniteSimulation.Mean) -> String {
        Numbers.fixed(mean.mean, 4)
            + (mean.error.isFinite ? " ± \(Numbers.fixed(mean.error, 4))" : "")
    }

    private func table(_ cells: [FeatureExperiment.Cell], onTest: Bool) -> TableModel {
        let arms = experiment.arms
        return TableModel(
            title:
                "Test error on clean labels, mean ± standard error over \(experiment.trials) trials",
            columns: [.init("theta", .trailing), .init("M", .trailing), .init("M/N", .trailing)]
                + arms.map { .init(name($0), .trailing) },
            rows: cells.map { cell in
                [
                    Numbers.compact(cell.noiseRate), "\(cell.size)",
                    Numbers.compact(cell.sampleRatio, 3),
                ] + arms.map { text(cell.error($0)) }
            },
            note: onTest
                ? "Searched on the test labels (oracle): no user can reach these numbers."
                : "λ and κ searched on noisy validation labels, half as many as M.")
    }

    var page: TheoryPage {
        let arms = experiment.arms
        var tables = [table(cells, onTest: experiment.oracle)]
        if experiment.oracle {
            tables.append(table(cells.compactMap(\.onValidation), onTest: false))
        }
        let charts = experiment.noiseRates.map { theta in
            let own = cells.filter { $0.noiseRate == theta }
            return CurveChart(
                title: "θ = \(Numbers.compact(theta))", xLabel: "M/N", yLabel: "test error",
                curves: arms.map { arm in
                    Curve(
                        name: name(arm), x: own.map(\.sampleRatio),
                        mean: own.map { $0.error(arm).mean }, sd: own.map { $0.error(arm).error })
                }, xScale: .log, note: "Bands: one standard error.")
        }
        return TheoryPage(
            title: "Self-distillation: \(problem.negative) against \(problem.positive)",
            facts: [
                Fact("features", problem.features.source),
                Fact("N", "\(problem.features.dimension)"), Fact("bias", bias),
                Fact("rho", Numbers.compact(experiment.positiveShare)),
                Fact("searched on", experiment.oracle ? "test labels (oracle)" : "validation"),
                Fact("limbeck", limbeckVersion),
            ],
            warnings: experiment.oracle
                ? ["hyper-parameters were searched on the test labels (--oracle)"] : [],
            findings: findings + acceptance, tables: tables, charts: charts)
    }

    /// How many stages were accepted in how many trials.
    private var acceptance: [String] {
        let place = experiment.oracle ? "the test labels" : "validation"
        return [
            "auto: a stage is accepted where its gain over the one before, on \(place), exceeds the "
                + "standard error of that gain."
        ]
            + cells.map { cell in
                let counts = (0...experiment.stages).compactMap { k -> String? in
                    let count = cell.trials.count { $0.accepted == k }
                    return count == 0
                        ? nil : "\(k == 0 ? "none" : "\(k)") in \(count) of \(cell.trials.count)"
                }
                return "auto, θ = \(Numbers.compact(cell.noiseRate)), M = \(cell.size): stages "
                    + "accepted: \(counts.joined(separator: ", "))"
            }
    }

    /// Where self-distillation helps, hurts, or does neither by two standard errors.
    private var findings: [String] {
        experiment.noiseRates.flatMap { theta in
            experiment.arms.dropFirst().map { arm in
                let verdicts = cells.filter { $0.noiseRate == theta }.map { cell in
                    let gain = cell.gain(arm)
                    let error = gain.error.isFinite ? gain.error : .infinity
                    let verdict =
                        gain.mean > 2 * error
                        ? "helps" : gain.mean < -2 * error ? "hurts" : "no clear change"
                    return "M = \(cell.size): \(verdict), gain \(Numbers.fixed(gain.mean, 4))"
                        + " ± \(Numbers.fixed(gain.error, 4))"
                }
                return
                    "θ = \(Numbers.compact(theta)), \(name(arm)) against 0-SD in the same trials: "
                    + verdicts.joined(separator: "; ")
            }
        }
    }
}
