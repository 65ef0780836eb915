/// How dense labels that were changed on purpose lie among the others, along the list from the most suspicious
/// sample down.
///
/// R(u) is the share of changed labels that are found before the share u of the unchanged ones is passed: an ROC
/// curve. Unchanged samples of the round in which labels were changed are what the samples of the given round
/// are, wrong labels included. So if wrong labels look like changed ones, then at the share u of the list
///
///     P(wrong) = rate · R′(u)          precision up to u = rate · R(u) / u
///
/// after Elkan and Noto ("Learning Classifiers from Only Positive and Unlabeled Data", KDD 2008), with ranks in
/// place of scores: that networks are a little less sure in the round with more noise moves all ranks alike. R is
/// taken as concave, by isotonic regression of *changed or not* along the list.
struct InjectionCurve: Sendable {
    /// Changed or not, the most suspicious first.
    private let changed: [Double]
    /// Which sample stands at a place.
    let order: [Int]

    /// - Parameters:
    ///   - scores: by networks and weights that did not learn from the sample; larger is more suspicious.
    ///   - changed: some, not all.
    init(scores: [Double], changed: [Bool]) {
        order = InjectionCurve.order(scores)
        self.changed = order.map { changed[$0] ? 1 : 0 }
    }

    /// Samples by falling score, the first of equals first.
    static func order(_ scores: [Double]) -> [Int] {
        scores.indices.sorted { a, b in
            scores[a] == scores[b] ? a < b : scores[a] > scores[b]
        }
    }

    /// R′ at the middle of each of `count` equal steps of u.
    ///
    /// - Parameter weights: of the samples, by index; 1 by default.
    func slopes(count: Int, weights: [Double]? = nil) -> [Double] {
        let weights = weights.map { w in order.map { w[$0] } }
        let shares = Isotonic.falling(changed, weights: weights)
        var (ones, zeros) = (0.0, 0.0)
        for (i, c) in changed.enumerated() {
            let w = weights?[i] ?? 1
            if c == 1 { ones += w } else { zeros += w }
        }
        guard ones > 0, zeros > 0 else { return [Double](repeating: 1, count: count) }
        var out: [Double] = []
        out.reserveCapacity(count)
        var (place, passed) = (-1, 0.0)
        for step in 0..<count {
            let u = (Double(step) + 0.5) / Double(count) * zeros
            while place < changed.count - 1, place < 0 || passed < u {
                place += 1
                if changed[place] == 0 { passed += weights?[place] ?? 1 }
            }
            let p = min(1 - 1e-6, shares[place])
            out.append(p / (1 - p) * zeros / ones)
        }
        return out
    }

    /// Share of pairs of a changed and an unchanged sample in which the changed one is the more suspicious, as the
    /// list has them.
    var area: Double {
        var (ones, sum, zeros) = (0.0, 0.0, 0.0)
        for c in changed {
            if c == 1 { ones += 1 } else { (sum, zeros) = (sum + ones, zeros + 1) }
        }
        return ones > 0 && zeros > 0 ? sum / (ones * zeros) : .nan
    }
}
