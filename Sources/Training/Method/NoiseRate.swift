import Datasets
import Diagnostics
import Distillation
import Report

/// Where a method has the share of wrong labels from.
///
///     forget-rate: 0.4                                       # known
///     forget-rate: auto                                      # estimated: {estimate: confident-joint, folds: 5}
///     forget-rate: injected                                  # expected, of the noise that the recipe injects
public enum NoiseRate: Equatable, Sendable {
    /// 0 to below 1
    case given(Double)
    /// From predictions of networks that did not see the samples, `folds` of them (`NoiseEstimate`).
    case estimated(folds: Int)
    case injected

    public static let auto = NoiseRate.estimated(folds: FoldOptions.usual)

    /// A rate that a method leaves out so many samples by is below 1.
    static let largest = 0.99

    /// Parts of the training split that networks leave out; nil where none are trained.
    public var folds: Int? { if case .estimated(let folds) = self { folds } else { nil } }

    /// Refuses data that says no rate. What is estimated is seen when the folds are trained.
    ///
    /// - Parameter key: of the recipe, such as `method.forget-rate`.
    public func check(_ data: PreparedData, at key: String) throws(Problem) {
        guard self == .injected, data.noise.intendedRate == nil else { return }
        throw .noiseRateMissing(noise: data.noise.noise.kind.rawValue, at: key)
    }
}

extension NoiseRate: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .given(value) }
}

/// A rate that a phase trains with.
public struct KnownNoiseRate: Equatable, Sendable, ExpressibleByFloatLiteral {
    public var value: Double
    /// Where it is from: a clause behind the number, empty where it was named.
    public var origin: String

    public init(value: Double, origin: String = "") {
        self.value = value
        self.origin = origin
    }

    public init(floatLiteral value: Double) { self.init(value: value) }
}

extension PhasePlanner {
    /// The phases that a rate is estimated from; none where it is known.
    public func estimation(of rate: NoiseRate) -> LossEstimation {
        rate.folds.map { folds($0) } ?? LossEstimation(phases: [], networks: nil)
    }
}

extension PhaseContext {
    /// A rate as the phase trains with it. One that is estimated is shown, with the transition matrix.
    ///
    /// - Parameters:
    ///   - networks: what `estimation` named.
    ///   - key: of the recipe, for messages.
    /// - Throws: where the folds' networks have learnt nothing that a rate could be estimated from.
    public func known(
        _ rate: NoiseRate, from networks: [WeightSource]?, at key: String
    ) throws -> KnownNoiseRate {
        switch rate {
        case .given(let value): return KnownNoiseRate(value: value)
        case .injected:
            guard let value = data.noise.intendedRate else {
                throw Problem.noiseRateMissing(noise: data.noise.noise.kind.rawValue, at: key)
            }
            return KnownNoiseRate(value: value, origin: ", the rate of the injected noise")
        case .estimated:
            let estimate = try noiseEstimate(from: networks ?? [], for: key)
            show(
                NoiseSection(
                    estimate: estimate, realised: realisedTransition, rate: realisedRate,
                    classNames: data.learning.classNames, phase: spec.name
                ).section)
            let error = estimate.rateError.map { " ± \(Numbers.fixed(100 * $0, 1))" } ?? ""
            return KnownNoiseRate(
                value: min(NoiseRate.largest, estimate.rate),
                origin: ", the estimated share of wrong labels\(error)")
        }
    }

    /// Of the training split, where true labels are known.
    private var realisedRate: Double? {
        guard let clean = cleanLabels else { return nil }
        let wrong = zip(clean, givenLabels).count { $0 != $1 }
        return Double(wrong) / Double(max(1, clean.count))
    }
}

extension NoiseRate: Codable {
    private enum Word: String, Codable, CaseIterable { case auto, injected }
    private enum Estimate: String, Codable, CaseIterable {
        case confidentJoint = "confident-joint"
    }
    private enum Keys: String, CodingKey, CaseIterable { case estimate, folds }

    public init(from decoder: any Decoder) throws {
        let path = decoder.codingPath.map(\.stringValue).joined(separator: ".")
        if let values = try? decoder.container(keyedBy: Keys.self) {
            _ = try values.decode(Estimate.self, forKey: .estimate)
            self = .estimated(folds: try FoldOptions.count(in: values, .folds))
            return
        }
        let value = try decoder.singleValueContainer()
        if let number = try? value.decode(Double.self) {
            guard (0..<1).contains(number) else {
                let key = decoder.codingPath.last?.stringValue ?? "rate"
                throw Problem.outOfRange(
                    path, found: "\(number)", expected: "0 <= \(key) < 1")
            }
            self = .given(number)
            return
        }
        switch try value.decode(Word.self) {
        case .auto: self = .auto
        case .injected: self = .injected
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .given(let rate):
            var value = encoder.singleValueContainer()
            try value.encode(rate)
        case .injected:
            var value = encoder.singleValueContainer()
            try value.encode(Word.injected)
        case .estimated(let folds):
            var values = encoder.container(keyedBy: Keys.self)
            try values.encode(Estimate.confidentJoint, forKey: .estimate)
            try values.encode(folds, forKey: .folds)
        }
    }
}

extension Problem {
    static func noiseRateMissing(noise: String, at key: String) -> Problem {
        Problem(
            .data, "the noise rate is not known", at: .init(detail: [key]),
            found: "noise kind \(noise)", expected: "the share of labels that are wrong",
            hint: "only the rate of injected noise is taken from the recipe; auto estimates one")
    }
}

/// What there is to show of an estimate.
private struct NoiseSection {
    let estimate: NoiseEstimate
    let realised: [[Double]]?
    let rate: Double?
    let classNames: [String]
    let phase: String

    var section: Section {
        let error = estimate.rateError.map { " ± \(Numbers.fixed(100 * $0, 1))" } ?? ""
        var section = Section(
            title: "Noise rate",
            findings: [
                "\(percent(estimate.rate))\(error) of the labels are wrong, as \(phase) estimates it from "
                    + "networks that did not see them"
                    + (rate.map { "; in truth \(percent($0))" } ?? "") + "."
            ],
            heatMaps: heatMaps,
            values: [.init("noise-rate", "estimated", estimate.rate, .percent(1))],
            note:
                "What the estimate is made of: class alone, if all noise were independent of the sample given its "
                + "class; surest fifth, among the samples that networks are surest of; confident joint, if "
                + "networks were never confidently wrong.")
        if let error = estimate.rateError {
            section.values.append(
                .init("noise-rate-error", "standard error", error, .percent(1)))
        }
        section.values += [
            .init("noise-rate-fit", "class alone", estimate.classConditionalRate, .percent(1)),
            .init("noise-rate-surest", "surest fifth", estimate.surestRate, .percent(1)),
            .init("noise-rate-confident", "confident joint", estimate.confidentRate, .percent(1)),
        ]
        if let rate {
            section.values.append(.init("noise-rate-true", "in truth", rate, .percent(1)))
        }
        if let difference = realised.flatMap({
            TransitionMatrix.difference(of: estimate.transition, from: $0)
        }) {
            section.values += [
                .init(
                    "transition-error", "mean error of an entry", difference.mean, .decimal(3),
                    largerIsBetter: false),
                .init(
                    "transition-worst", "largest", difference.largest, .decimal(3),
                    largerIsBetter: false),
            ]
        }
        return section
    }

    private var heatMaps: [HeatMap] {
        // More classes than a page draws.
        guard classNames.count <= 100 else { return [] }
        func map(_ title: String, _ rows: [[Double]]) -> HeatMap {
            HeatMap(
                title: title, rowLabels: classNames, columnLabels: classNames, values: rows,
                format: .percent(0), rowAxis: "true class", columnAxis: "given label", maximum: 1)
        }
        return [map("Estimated transition matrix (\(phase))", estimate.transition)]
            + (realised.map { [map("True transition matrix, training split (\(phase))", $0)] } ?? [])
    }
}
