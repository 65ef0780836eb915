import Foundation

/// How many of a sample have something that `marked` of `population` have, drawn without putting back.
struct Hypergeometric {
    let population: Int
    let marked: Int
    let drawn: Int

    /// What can be found.
    var range: ClosedRange<Int> { max(0, drawn - (population - marked))...min(drawn, marked) }

    /// P(X = k)
    func probability(_ k: Int) -> Double {
        guard range.contains(k) else { return 0 }
        return exp(
            Hypergeometric.logChoose(marked, k)
                + Hypergeometric.logChoose(population - marked, drawn - k)
                - Hypergeometric.logChoose(population, drawn))
    }

    /// P(X ≤ k)
    func atMost(_ k: Int) -> Double {
        guard k >= range.lowerBound else { return 0 }
        guard k < range.upperBound else { return 1 }
        return min(1, (range.lowerBound...k).reduce(0) { $0 + probability($1) })
    }

    /// P(X ≥ k)
    func atLeast(_ k: Int) -> Double {
        guard k > range.lowerBound else { return 1 }
        guard k <= range.upperBound else { return 0 }
        return min(1, (k...range.upperBound).reduce(0) { $0 + probability($1) })
    }

    /// P of everything that is as improbable as `k`, or more.
    func twoSided(_ k: Int) -> Double {
        let own = probability(k) * (1 + 1e-7)
        return min(1, range.reduce(0) { $0 + (probability($1) <= own ? probability($1) : 0) })
    }

    private static func logChoose(_ n: Int, _ k: Int) -> Double {
        lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1))
    }
}

/// A share of a population that was found in a simple random sample of it, with an exact interval.
///
/// The interval has every number of marked ones under which neither so few nor so many as were found have a
/// probability of 2.5 % or less: that of Clopper and Pearson (1934) for draws without putting back. It holds the
/// truth in at least 95 % of samples; when all are drawn it is the truth.
public struct SampledShare: Codable, Equatable, Sendable {
    public let found: Int
    public let drawn: Int
    public let population: Int
    public let low: Double
    public let high: Double

    /// found / drawn, without bias; nil where nothing was drawn.
    public var estimate: Double? { drawn > 0 ? Double(found) / Double(drawn) : nil }

    static let tail = 0.025

    public init(found: Int, drawn: Int, population: Int) {
        precondition(0...drawn ~= found && drawn <= population, "found ≤ drawn ≤ population")
        (self.found, self.drawn, self.population) = (found, drawn, population)
        guard population > 0 else {
            (low, high) = (0, 1)
            return
        }
        func law(_ marked: Int) -> Hypergeometric {
            Hypergeometric(population: population, marked: marked, drawn: drawn)
        }
        let possible = found...(population - drawn + found)
        // P(X ≥ found) rises with the number of marked ones, P(X ≤ found) falls.
        let least = SampledShare.first(in: possible) {
            law($0).atLeast(found) > SampledShare.tail
        }
        let tooMany = SampledShare.first(in: possible) {
            law($0).atMost(found) <= SampledShare.tail
        }
        low = Double(least ?? possible.upperBound) / Double(population)
        high = Double(tooMany.map { $0 - 1 } ?? possible.upperBound) / Double(population)
    }

    /// The first number for which `isTrue`, which is false below some number and true from there on.
    private static func first(in range: ClosedRange<Int>, _ isTrue: (Int) -> Bool) -> Int? {
        guard isTrue(range.upperBound) else { return nil }
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if isTrue(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// How probable a sample as odd as this one is, two-sided, if the share were in `range`: that of the share in
    /// it which explains the sample best.
    func probability(ifIn range: ClosedRange<Double>) -> Double {
        guard drawn > 0 else { return 1 }
        let share = Double(found) / Double(drawn)
        let n = Double(population)
        let (low, high) = (
            (range.lowerBound * n).rounded(.down), (range.upperBound * n).rounded(.up)
        )
        let marked = Int(min(n, max(0, min(high, max(low, (share * n).rounded())))))
        return Hypergeometric(population: population, marked: marked, drawn: drawn)
            .twoSided(found)
    }
}
