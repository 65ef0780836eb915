import Datasets
import Diagnostics
import Distillation
import Models
import Neural
import Torch

/// Measures an encoder with labels that it never sees: those of the data as it came, before noise was
/// added.
final class EncoderEvaluation: PhaseEvaluator {
    /// At most so many training samples and queries of a split in what is measured every epoch.
    static let quickBank = 5000
    static let quickQueries = 2000

    private let phase: PhaseContext
    private let neighbours: Int
    private let truth: [Int]
    private let bank: EvaluationSet
    private let validation: EvaluationSet
    private let test: EvaluationSet
    /// Of the end of the phase.
    private var full: Full?

    /// All training samples as the bank, all samples of a split.
    private struct Full {
        var nearest: PhaseResult.Scores
        var probe: PhaseResult.Scores
        var graph: RelationGraph
    }

    /// - Parameter order: the training samples in a random order.
    init(
        _ phase: PhaseContext, _ options: RelationModelling, order: [Int]
    ) throws(Problem) {
        self.phase = phase
        neighbours = options.neighbours
        let data = phase.data
        truth = data.learning.clean ?? data.learning.labels
        bank = try EncoderEvaluation.set(
            data.learning, Array(order.prefix(Self.quickBank)), truth, data, phase.device)
        validation = try EncoderEvaluation.set(
            data.learning, EncoderEvaluation.some(data.split.validation), truth, data, phase.device)
        test = try EncoderEvaluation.set(
            data.test, EncoderEvaluation.some(data.testMembers), data.test.labels, data,
            phase.device)
    }

    let metric = PhaseMetric(name: "accuracy of nearest neighbours", isShown: false)
    private var data: PreparedData { phase.data }
    private var device: Device { phase.device }
    private var spec: PhaseSpec { phase.spec }

    private static func set(
        _ samples: Dataset, _ members: [Int], _ labels: [Int], _ data: PreparedData,
        _ device: Device
    ) throws(Problem) -> EvaluationSet {
        try EvaluationSet(
            samples, members: members, labels: members.map { labels[$0] },
            normalisation: data.normalisation, device: device)
    }

    /// Evenly over a split, whose order may be that of its classes.
    private static func some(_ members: [Int]) -> [Int] {
        guard members.count > quickQueries else { return members }
        return (0..<quickQueries).map { members[$0 * members.count / quickQueries] }
    }

    private func features(
        _ network: any Classifier, _ set: EvaluationSet
    ) throws(OutputsNotFinite) -> Tensor {
        try set.finite(
            set.logits({ network.features($0, mode: .eval) }, precision: spec.compute.precision))
    }

    func measure(_ networks: [any Classifier], isFinal: Bool) throws -> Measured {
        guard isFinal else { return Measured(each: [try quick(networks[0])]) }
        let full = try full(networks[0])
        self.full = full
        return Measured(each: [full.nearest])
    }

    /// Nearest neighbours among at most `quickBank` samples.
    func quick(_ network: any Classifier) throws -> PhaseResult.Scores {
        try scores { try features(network, $0) }
    }

    private func scores(_ features: (EvaluationSet) throws -> Tensor) throws -> PhaseResult.Scores {
        try Engine.checked {
            let nearest = NearestNeighbours(
                try OutputsNotFinite.naming("training") { try features(bank) },
                labels: bank.labels, classes: data.classCount, count: neighbours)
            return .init(
                validation: try OutputsNotFinite.naming("validation") {
                    try nearest.evaluation(features(validation), labels: validation.labels)
                },
                test: try OutputsNotFinite.naming("test") {
                    try nearest.evaluation(features(test), labels: test.labels)
                })
        }
    }

    /// - Throws: an engine error, or `OutputsNotFinite`.
    func result(
        _ network: any Classifier, options: RelationModelling, headParameters: Int,
        embeddingStd: Double
    ) throws -> RelationsResult {
        func accuracies(_ scores: PhaseResult.Scores) -> RelationsResult.Accuracies {
            .init(validation: scores.validation.accuracy, test: scores.test.accuracy)
        }
        let untrained = try ModelRegistry.make(
            spec.model, sampleShape: data.sampleShape, classes: data.classCount,
            seed: spec.derivedSeed)
        untrained.move(to: device)
        untrained.toChannelsLast()
        let reference = RelationsResult.Reference(
            bank: bank.members.count, encoder: accuracies(try quick(network)),
            untrained: accuracies(try quick(untrained)),
            pixels: accuracies(
                try scores { $0.logits({ $0.flattened(from: 1) }, precision: .float32) }))
        let full = try full ?? full(network)
        return RelationsResult(
            kind: options.kind.rawValue,
            parameters: network.parameterCount - network.head.parameterCount,
            headParameters: headParameters, neighbours: neighbours, nearest: full.nearest,
            probe: full.probe, reference: reference, embeddingStd: embeddingStd,
            neighbourShares: full.graph.neighbourShares, sameClass: full.graph.sameClass,
            matrix: full.graph.matrix, matrixClasses: full.graph.matrixClasses)
    }

    private func full(_ network: any Classifier) throws -> Full {
        let train = try EncoderEvaluation.set(
            data.learning, data.split.train, truth, data, device)
        let allValidation = try EncoderEvaluation.set(
            data.learning, data.split.validation, truth, data, device)
        let allTest = try EncoderEvaluation.set(
            data.test, data.testMembers, data.test.labels, data, device)
        return try Engine.checked {
            let own = try OutputsNotFinite.naming("training") { try features(network, train) }
            let v = try OutputsNotFinite.naming("validation") {
                try features(network, allValidation)
            }
            let t = try OutputsNotFinite.naming("test") { try features(network, allTest) }
            let classes = data.classCount
            let nearest = NearestNeighbours(
                own, labels: train.labels, classes: classes, count: neighbours)
            let probe = LinearProbe(own, labels: train.labels, classes: classes)
            return Full(
                nearest: .init(
                    validation: nearest.evaluation(v, labels: allValidation.labels),
                    test: nearest.evaluation(t, labels: allTest.labels)),
                probe: .init(
                    validation: probe.evaluation(v, labels: allValidation.labels),
                    test: probe.evaluation(t, labels: allTest.labels)),
                graph: RelationGraph(
                    try features(network, bank), labels: bank.labels, classes: classes,
                    neighbours: neighbours))
        }
    }
}

extension NearestNeighbours {
    func evaluation(_ queries: Tensor, labels: [Int]) -> Evaluation {
        let logP = logProbabilities(queries)
        return Evaluation(
            logProbabilities: logP.floats(), classes: logP.shape[1], labels: labels)
    }
}
