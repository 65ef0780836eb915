import Diagnostics
import Randomness

/// The division of a data set into training, validation and test samples, made by the tool and
/// not by the user's files.
///
/// Invariants: the three sorted lists are disjoint and together `0..<count`; no group and no set
/// of samples with equal features is in more than one of them; every class that occurs is in every
/// part that was asked for. Stratified by given label: without groups each part has exactly the
/// size asked for, and each class's share is its quota by largest remainder, up to what
/// inseparable duplicates forbid. With groups sizes are as near as the groups allow.
/// The same data, sizes and seed give the same split.
public struct Split: Codable, Equatable, Sendable {
    public var train: [Int]
    public var validation: [Int]
    public var test: [Int]
    /// Samples that repeat an earlier one exactly; each is in the part of the one it repeats.
    public var duplicates: Int

    /// A split that was made elsewhere; the lists are taken as they are.
    public init(train: [Int], validation: [Int], test: [Int], duplicates: Int = 0) {
        self.train = train
        self.validation = validation
        self.test = test
        self.duplicates = duplicates
    }

    /// Splits by shares of the whole. Where the data brings validation samples of its own, these are taken as
    /// they are, and the test is a share of the others: then a group, or equal samples, may be on both sides.
    /// - Parameters:
    ///   - validation: share in 0..<1; the size is rounded to the nearest whole number.
    ///   - test: likewise; together they must leave something to train on.
    public static func make(
        _ data: Dataset, validation: Double, test: Double, seed: UInt64
    ) throws(Problem) -> Split {
        for (name, share) in [("validation", validation), ("test", test)] {
            guard 0..<1 ~= share else { throw .splitShare(name, share) }
        }
        guard validation + test < 1 else {
            throw .splitShare("validation and test", validation + test)
        }
        if validation > 0, let own = data.ownValidation, own.contains(true), own.contains(false) {
            return try make(data, own: own, test: test, seed: seed)
        }
        let n = Double(data.count)
        return try make(
            data, validation: Int((validation * n).rounded()), test: Int((test * n).rounded()),
            seed: seed)
    }

    private static func make(
        _ data: Dataset, own: [Bool], test: Double, seed: UInt64
    ) throws(Problem) -> Split {
        let first = data.firstOccurrences()
        var split = Split(
            train: own.indices.filter { !own[$0] }, validation: own.indices.filter { own[$0] },
            test: [], duplicates: first.indices.count { first[$0] != $0 })
        guard test > 0 else { return split }
        let rest = split.train
        let inner = try make(
            data.subset(rest), validation: 0, test: Int((test * Double(rest.count)).rounded()),
            seed: seed)
        split.train = inner.train.map { rest[$0] }
        split.test = inner.test.map { rest[$0] }
        return split
    }

    /// Splits by numbers of samples.
    public static func make(
        _ data: Dataset, validation: Int, test: Int, seed: UInt64
    ) throws(Problem) -> Split {
        guard validation >= 0, test >= 0, validation < data.count,
            test < data.count - validation
        else {
            throw .splitSize(
                data.name, validation: validation, test: test, count: data.count)
        }
        return try Splitter(data, sizes: [data.count - validation - test, validation, test])
            .split(seed: seed)
    }
}

/// The work of `Split.make`. Part 0 is training, 1 validation, 2 test.
struct Splitter {
    /// Seeded attempts: with groups the best is taken, else the first that has every class.
    static let attempts = 16

    let data: Dataset
    let sizes: [Int]
    let duplicates: Int
    /// Sets of samples that stay together.
    let units: [[Int]]
    /// `quotas[part][class]`: sample counts to aim at.
    let quotas: [[Int]]

    init(_ data: Dataset, sizes: [Int]) throws(Problem) {
        self.data = data
        self.sizes = sizes
        let first = data.firstOccurrences()
        duplicates = first.enumerated().count { $0.offset != $0.element }
        units = Splitter.units(first, data.groups)
        let parts = sizes.count { $0 > 0 }

        var unitsOfClass = [Int](repeating: 0, count: data.classCount)
        for unit in units {
            for label in Set(unit.map { data.labels[$0] }) { unitsOfClass[label] += 1 }
        }
        for (label, count) in data.classCounts.enumerated()
        where count > 0 && unitsOfClass[label] < parts {
            throw .classTooSmall(
                data.name, data.classNames[label], samples: count, units: unitsOfClass[label],
                grouped: data.groups != nil, parts: parts)
        }
        quotas = try Splitter.quotas(data, sizes)
    }

    /// Groups, joined where they share a duplicate (union-find), in order of their first sample.
    static func units(_ first: [Int], _ groups: [Int]?) -> [[Int]] {
        var parent = first
        func root(_ i: Int) -> Int {
            var i = i
            while parent[i] != i {
                parent[i] = parent[parent[i]]
                i = parent[i]
            }
            return i
        }
        var leader: [Int: Int] = [:]
        for (i, group) in (groups ?? []).enumerated() {
            let mine = root(i)
            guard let other = leader[group] else {
                leader[group] = mine
                continue
            }
            let theirs = root(other)
            parent[max(mine, theirs)] = min(mine, theirs)
        }
        var place: [Int: Int] = [:]
        var units: [[Int]] = []
        for i in first.indices {
            let r = root(i)
            if let at = place[r] {
                units[at].append(i)
            } else {
                place[r] = units.count
                units.append([i])
            }
        }
        return units
    }

    /// Test, then validation, then the rest to training; at least one sample of each class that
    /// occurs in each part that is asked for.
    static func quotas(_ data: Dataset, _ sizes: [Int]) throws(Problem) -> [[Int]] {
        let counts = data.classCounts
        let classes = counts.count { $0 > 0 }
        var left = counts
        var quotas = [counts, counts, counts]
        for part in [2, 1] {
            let needed = 1 + (part == 2 && sizes[1] > 0 ? 1 : 0)  // what the parts to come need
            let exact = counts.map { Double(sizes[part] * $0) / Double(data.count) }
            let least = counts.map { $0 > 0 && sizes[part] > 0 ? 1 : 0 }
            let most = left.map { max(0, $0 - needed) }
            guard let quota = apportion(sizes[part], exact, least: least, most: most) else {
                throw .partTooSmall(
                    data.name, ["training", "validation", "test"][part], sizes[part],
                    classes: classes)
            }
            quotas[part] = quota
            left = zip(left, quota).map { $0 - $1 }
        }
        quotas[0] = left
        return quotas
    }

    /// Whole numbers nearest to `exact` with sum `total`, each within its bounds: the method of
    /// largest remainders (Hamilton), ties to the earlier class. Nil where the bounds forbid it.
    static func apportion(
        _ total: Int, _ exact: [Double], least: [Int], most: [Int]
    ) -> [Int]? {
        guard zip(least, most).allSatisfy({ $0 <= $1 }), least.reduce(0, +) <= total,
            most.reduce(0, +) >= total
        else { return nil }
        var quota = exact.indices.map {
            min(most[$0], max(least[$0], Int(exact[$0].rounded(.down))))
        }
        var sum = quota.reduce(0, +)
        while sum != total {
            let up = sum < total
            var best: Int?
            var bestGap = 0.0
            for c in exact.indices where up ? quota[c] < most[c] : quota[c] > least[c] {
                let gap = (exact[c] - Double(quota[c])) * (up ? 1 : -1)
                if best == nil || gap > bestGap { (best, bestGap) = (c, gap) }
            }
            quota[best!] += up ? 1 : -1
            sum += up ? 1 : -1
        }
        return quota
    }
}
