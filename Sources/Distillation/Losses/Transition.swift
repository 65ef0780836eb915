import Diagnostics
import Foundation
import Torch

/// Where a loss has its transition matrix from.
public enum Transition: Equatable, Sendable {
    case given(TransitionMatrix)
    /// Networks that learn from the given labels first say it.
    case estimated(TransitionEstimate)

    /// - Precondition: it is given.
    var matrix: TransitionMatrix {
        guard case .given(let matrix) = self else {
            preconditionFailure("a transition matrix that is still to be estimated")
        }
        return matrix
    }
}

/// How a transition matrix is made from the probabilities that networks give the training samples.
public enum TransitionEstimate: Equatable, Sendable {
    case anchors(AnchorOptions)
    /// From predictions of networks that did not see the samples, one network for each of so many parts of
    /// the training split.
    case confidentJoint(folds: Int)
}

/// How many parts of the training split networks leave out in turn.
public enum FoldOptions {
    /// Each network sees four fifths of the samples, for five times the training.
    public static let usual = 5
    static let range = 2...50

    /// - Parameter key: where a recipe may name them.
    public static func count<Key: CodingKey>(
        in values: KeyedDecodingContainer<Key>, _ key: Key
    ) throws -> Int {
        let count = try values.decodeIfPresent(Int.self, forKey: key) ?? usual
        guard range.contains(count) else {
            let path = (values.codingPath + [key]).map(\.stringValue).joined(separator: ".")
            throw Problem.outOfRange(path, found: "\(count)", expected: "2 to 50")
        }
        return count
    }
}

/// Anchors: Patrini, Rozza, Menon, Nock, Qu, "Making Deep Neural Networks Robust to Label Noise: a Loss
/// Correction Approach", 2017, arXiv 1609.03683, eq. 12 and 13.
///
///     x̄_a = arg max_x p(given label = a | x),   T[a][b] = p(given label = b | x̄_a)
///
/// The sample that is surest of its class tells what happens to the labels of that class. One sample may
/// be an outlier: then those with the largest 3 % of a class's probabilities are left out before the
/// arg max. Their paper does so with ten classes and not with a hundred (from memory).
public struct AnchorOptions: Equatable, Sendable {
    /// Whether the surest 3 % of all samples are left out for each class. Nil: where a class has on the
    /// mean more than three times as many samples as that, up to 11 classes.
    public var filtersOutliers: Bool?
    /// α, 0 to below 1: T becomes α I + (1 − α) T, for an estimate that is too pessimistic. 0 in the paper.
    public var identity: Double

    public init(filtersOutliers: Bool? = nil, identity: Double = 0) {
        self.filtersOutliers = filtersOutliers
        self.identity = identity
    }
}

/// T by anchors.
///
/// - Parameter probabilities: of the given labels, as a network sees them [N, C], float64 so that none is 0
///   that should not be.
/// - Throws: for probabilities that are not finite.
public func anchorTransition(
    _ probabilities: Probabilities, _ options: AnchorOptions = .init()
) throws(Problem) -> TransitionMatrix {
    let classes = max(1, probabilities.tensor.shape.last ?? 1)
    let p = probabilities.tensor.doubles()
    let filters = options.filtersOutliers ?? (classes <= 11)
    let rows = (0..<classes).map { a -> [Double] in
        var scores = stride(from: a, to: p.count, by: classes).map { p[$0] }
        if filters {
            // The smallest value at or above the 97 % point, as numpy's "higher" chooses it.
            let place = (0.97 * Double(scores.count - 1)).rounded(.up)
            let bound = scores.sorted()[Int(place)]
            for i in scores.indices where scores[i] >= bound { scores[i] = 0 }
        }
        let anchor = scores.indices.max {
            scores[$0] < scores[$1] || scores[$0] == scores[$1] && $0 > $1
        }!
        let row = p[anchor * classes..<(anchor + 1) * classes]
        let sum = row.reduce(0, +)
        return row.enumerated().map { b, value in
            min(1, (a == b ? options.identity : 0) + (1 - options.identity) * value / sum)
        }
    }
    return try TransitionMatrix(rows, at: "anchors")
}

// In a recipe: `transition: [[0.9, 0.1], [0.2, 0.8]]`, or `transition: {estimate: anchors}` or
// `{estimate: confident-joint, folds: 5}`.
extension Transition: Codable {
    private enum Name: String, Codable, CaseIterable {
        case anchors
        case confidentJoint = "confident-joint"
    }
    private enum Keys: String, CodingKey {
        case estimate, identity, folds
        case filterOutliers = "filter-outliers"
    }

    public init(from decoder: any Decoder) throws {
        let path = decoder.codingPath.map(\.stringValue).joined(separator: ".")
        guard let values = try? decoder.container(keyedBy: Keys.self) else {
            let value = try decoder.singleValueContainer()
            if let word = try? value.decode(String.self) {
                throw Problem.outOfRange(
                    path, found: "\"\(Problem.oneLine(word, limit: 40))\"",
                    expected: "a row of numbers per class, or {estimate: anchors}")
            }
            self = .given(try TransitionMatrix(value.decode([[Double]].self), at: path))
            return
        }
        switch try values.decode(Name.self, forKey: .estimate) {
        case .anchors:
            self = .estimated(
                .anchors(
                    AnchorOptions(
                        filtersOutliers: try values.decodeIfPresent(
                            Bool.self, forKey: .filterOutliers),
                        identity: try NamedLoss.number(
                            .identity, or: 0, in: values, "0 to below 1"
                        ) { 0 <= $0 && $0 < 1 })))
        case .confidentJoint:
            self = .estimated(.confidentJoint(folds: try FoldOptions.count(in: values, .folds)))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .given(let matrix):
            var value = encoder.singleValueContainer()
            try value.encode(matrix.rows)
        case .estimated(.anchors(let options)):
            var values = encoder.container(keyedBy: Keys.self)
            try values.encode(Name.anchors, forKey: .estimate)
            try values.encodeIfPresent(options.filtersOutliers, forKey: .filterOutliers)
            try values.encode(options.identity, forKey: .identity)
        case .estimated(.confidentJoint(let folds)):
            var values = encoder.container(keyedBy: Keys.self)
            try values.encode(Name.confidentJoint, forKey: .estimate)
            try values.encode(folds, forKey: .folds)
        }
    }
}
