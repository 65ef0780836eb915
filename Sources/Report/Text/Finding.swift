/// Sentences about differences that claim no more than the numbers hold.
public enum Finding {
    /// One side of a comparison: the mean of a metric over `seeds` runs.
    public struct Side: Equatable, Sendable {
        public var name: String
        /// As a fraction in [0, 1].
        public var mean: Double
        /// Sample standard deviation over the seeds; `nil` for one seed.
        public var sd: Double?
        public var seeds: Int

        public init(name: String, mean: Double, sd: Double?, seeds: Int) {
            self.name = name
            self.mean = mean
            self.sd = sd
            self.seeds = seeds
        }

        public init(name: String, values: [Double]) {
            let estimate = Estimate(values: values)
            self.init(name: name, mean: estimate.mean, sd: estimate.sd, seeds: values.count)
        }
    }

    public enum Verdict: Equatable, Sendable {
        case gain, loss, withinSpread, unknown
    }

    /// Whether `a - b` exceeds the standard deviation of the difference of two single runs,
    /// sqrt(sd_a² + sd_b²). That is not a significance test: it asks whether a user who trains
    /// each method once may expect to see the difference.
    public static func verdict(_ a: Side, over b: Side) -> Verdict {
        let difference = a.mean - b.mean
        guard let spread = spread(a, b), difference.isFinite else { return .unknown }
        if abs(difference) <= spread { return .withinSpread }
        return difference > 0 ? .gain : .loss
    }

    /// One sentence on `a` against the baseline `b`, in percentage points, for example
    /// `self-distillation gains 1.8 ± 0.6 points over cross-entropy (3 seeds).`
    public static func compare(_ a: Side, over b: Side, unit: String = "points") -> String {
        let difference = (a.mean - b.mean) * 100
        guard difference.isFinite else {
            return "\(a.name) and \(b.name) cannot be compared: a mean is not a number."
        }
        let seeds =
            a.seeds == b.seeds
            ? plural(a.seeds, "seed") : "\(plural(a.seeds, "seed")) against \(b.seeds)"
        guard let spread = spread(a, b) else {
            return "\(a.name) differs from \(b.name) by \(signed(difference)) \(unit) (\(seeds)): "
                + "without a standard deviation on both sides this settles nothing."
        }
        // As many digits as it takes to show which of the two is larger.
        let digits = [1, 2, 3].first {
            Numbers.fixed(abs(difference), $0) != Numbers.fixed(spread * 100, $0)
        }
        let deviation = "± \(Numbers.fixed(spread * 100, digits ?? 1)) \(unit)"
        let size = "\(Numbers.fixed(abs(difference), digits ?? 1)) \(deviation)"
        switch verdict(a, over: b) {
        case .gain: return "\(a.name) gains \(size) over \(b.name) (\(seeds))."
        case .loss: return "\(a.name) loses \(size) against \(b.name) (\(seeds))."
        default:
            return "\(a.name) shows no difference from \(b.name) that exceeds its standard "
                + "deviation: \(signed(difference, digits ?? 1)) \(deviation) (\(seeds))."
        }
    }

    /// A sentence for each method but the baseline, then one that sums up when none gains.
    public static func comparisons(_ methods: [Side], baseline: String) -> [String] {
        guard let base = methods.first(where: { $0.name == baseline }) else { return [] }
        let others = methods.filter { $0.name != baseline }
        var sentences = others.map { compare($0, over: base) }
        if !others.isEmpty, !others.contains(where: { verdict($0, over: base) == .gain }) {
            sentences.append(
                "No method gains more over \(baseline) than the standard deviation of the "
                    + "difference.")
        }
        return sentences
    }

    private static func spread(_ a: Side, _ b: Side) -> Double? {
        guard let x = a.sd, let y = b.sd, a.seeds > 1, b.seeds > 1 else { return nil }
        let spread = (x * x + y * y).squareRoot()
        return spread.isFinite ? spread : nil
    }

    private static func signed(_ value: Double, _ digits: Int = 1) -> String {
        let text = Numbers.fixed(value, digits)
        return value > 0 && text.contains { "123456789".contains($0) } ? "+" + text : text
    }

    private static func plural(_ n: Int, _ word: String) -> String {
        n == 1 ? "1 \(word)" : "\(n) \(word)s"
    }
}
