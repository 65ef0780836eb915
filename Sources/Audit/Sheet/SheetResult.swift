/// What a random sheet says of all labels and of the audit's list, without any model, and whether the audit agrees.
///
/// Samples that are unsure or not judged are left out of the estimates: they are unbiased only if these are wrong
/// as often as the others. `rateIfUnsure` has what the rate could be if they are not.
public struct SheetResult: Codable, Equatable, Sendable {
    /// Share of wrong labels among all samples that the sheet was drawn from.
    public let rate: SampledShare
    /// Share of wrong labels in the list; of the judged samples that are in it.
    public let precision: SampledShare
    /// How many were judged unsure.
    public let unsure: Int
    /// The rate if all unsure labels are right, and if all are wrong.
    public let rateIfUnsure: ClosedRange<Double>
    /// Two-sided probability of so odd a sheet if the audit's interval of the rate holds.
    public let rateProbability: Double
    /// The same of its interval of the precision; nil where no sample of the list was judged.
    public let precisionProbability: Double?

    /// Below it the audit and the person disagree. Each of the two tests errs with at most this probability.
    public static let level = 0.05

    public var agreesOnRate: Bool { rateProbability >= SheetResult.level }
    public var agreesOnPrecision: Bool? {
        precisionProbability.map { $0 >= SheetResult.level }
    }

    /// - Parameters:
    ///   - population: how many samples the sheet was drawn from.
    ///   - list: samples of the audit's list.
    ///   - auditedRate: interval of the audit's own.
    ///   - auditedPrecision: of the list; nil where there is none.
    public init(
        _ verdicts: Verdicts, population: Int, list: [Int], auditedRate: ClosedRange<Double>,
        auditedPrecision: ClosedRange<Double>?
    ) {
        let wrong = Set(verdicts.samples(.wrong))
        let judged = wrong.union(verdicts.samples(.right))
        unsure = verdicts.samples(.unsure).count
        rate = SampledShare(found: wrong.count, drawn: judged.count, population: population)
        let listed = Set(list)
        precision = SampledShare(
            found: wrong.intersection(listed).count, drawn: judged.intersection(listed).count,
            population: listed.count)
        let all = Double(max(1, judged.count + unsure))
        rateIfUnsure = Double(wrong.count) / all...Double(wrong.count + unsure) / all
        rateProbability = rate.probability(ifIn: auditedRate)
        precisionProbability =
            precision.drawn > 0
            ? auditedPrecision.map { [precision] in precision.probability(ifIn: $0) } : nil
    }
}
