import Diagnostics

/// How losses are split into those of right and of wrong labels.
public struct LossSplitOptions: Codable, Equatable, Sendable {
    /// p(right) above which a label counts as right, 0 to below 1. .5 is DivideMix's, .6 where nine of ten
    /// labels are wrong.
    public var threshold: Double
    /// Smaller losses never have a smaller p(right). Off: the mixture as it is, which is the published one.
    public var monotone: Bool
    /// A mixture for each given class: for classes of different difficulty or size, and for noise that hits
    /// some classes only. Needs some hundred samples in each.
    public var perClass: Bool

    public init(threshold: Double = 0.5, monotone: Bool = true, perClass: Bool = false) {
        self.threshold = threshold
        self.monotone = monotone
        self.perClass = perClass
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case threshold, monotone
        case perClass = "per-class"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        threshold = try values.decodeIfPresent(Double.self, forKey: .threshold) ?? threshold
        monotone = try values.decodeIfPresent(Bool.self, forKey: .monotone) ?? monotone
        perClass = try values.decodeIfPresent(Bool.self, forKey: .perClass) ?? perClass
        guard (0..<1).contains(threshold) else {
            let path = (values.codingPath.map(\.stringValue) + ["threshold"])
            throw Problem.outOfRange(
                path.joined(separator: "."), found: "\(threshold)", expected: "0 <= threshold < 1")
        }
    }
}

/// Samples whose given label is likely right, told by a mixture over their losses, with an answer for every
/// way in which that fails: a split is never empty, and never stops a run.
///
/// - Losses that are equal or have one hump: the last split is kept; where there is none, all labels count as
///   right.
/// - Fewer than two selected samples: likewise.
/// - Per class: a class whose own mixture fails, or of which nothing would be selected, is split by the mixture
///   over all samples.
/// - A class of which still nothing is selected is named.
public struct LossSplit: Equatable, Sendable {
    /// p(right) of each sample.
    public private(set) var clean: [Double]
    /// The samples whose p(right) is above the threshold, rising.
    public private(set) var selected: [Int] = []
    /// What went another way than usual: sentences without an end.
    public private(set) var notes: [String] = []
    /// Whether the last split was kept.
    public private(set) var isKept = false

    /// - Parameters:
    ///   - labels: given class of each sample, 0 to below `classes`.
    ///   - previous: p(right) of the last split.
    /// - Throws: for a loss that is not finite.
    public init(
        _ losses: [Double], labels: [Int], classes: Int, options: LossSplitOptions = .init(),
        previous: [Double]? = nil
    ) throws(Problem) {
        precondition(
            labels.count == losses.count && previous?.count ?? losses.count == losses.count)
        let whole = try LossMixture(losses, monotone: options.monotone)
        clean = whole.clean
        if options.perClass {
            try splitClasses(losses, labels, classes, options, whole)
        } else if let fault = whole.fault {
            keep(previous, because: fault.rawValue)
        }
        selected = picked(options)
        if selected.count < 2 {
            keep(previous, because: "\(selected.count) samples would be selected")
            selected = picked(options)
            // The last one may be no better under another threshold.
            if selected.isEmpty {
                clean = Array(repeating: 1, count: losses.count)
                selected = Array(losses.indices)
            }
        }
        let left = Set(labels).subtracting(selected.map { labels[$0] })
        if !left.isEmpty {
            notes.append("no sample is selected of given class \(Self.list(left))")
        }
    }

    private func picked(_ options: LossSplitOptions) -> [Int] {
        clean.indices.filter { clean[$0] > options.threshold }
    }

    private mutating func keep(_ previous: [Double]?, because fault: String) {
        isKept = previous != nil
        clean = previous ?? Array(repeating: 1, count: clean.count)
        notes.append(
            "\(fault): \(previous == nil ? "all labels count as right" : "the last split is kept")")
    }

    private mutating func splitClasses(
        _ losses: [Double], _ labels: [Int], _ classes: Int, _ options: LossSplitOptions,
        _ whole: LossMixture
    ) throws(Problem) {
        var members = [[Int]](repeating: [], count: classes)
        for (i, label) in labels.enumerated() { members[label].append(i) }
        var others: Set<Int> = []
        for (label, own) in members.enumerated() where !own.isEmpty {
            let mixture = try LossMixture(own.map { losses[$0] }, monotone: options.monotone)
            guard mixture.fault == nil, mixture.clean.contains(where: { $0 > options.threshold })
            else {
                others.insert(label)
                continue
            }
            for (i, p) in zip(own, mixture.clean) { clean[i] = p }
        }
        guard !others.isEmpty else { return }
        notes.append("split with all others, not by itself: given class \(Self.list(others))")
    }

    private static func list(_ classes: Set<Int>) -> String {
        let sorted = classes.sorted()
        let first = sorted.prefix(5).map(String.init).joined(separator: ", ")
        return sorted.count > 5 ? "\(first) and \(sorted.count - 5) more" : first
    }
}
