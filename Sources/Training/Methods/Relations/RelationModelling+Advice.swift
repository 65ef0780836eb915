extension RelationModelling: Advisable {
    /// What the recipe's key is called; relations guide any method.
    public static let name = "relations"

    /// Relations come from samples alone: the less the labels are worth, the more they add.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        guard facts.isImages else {
            return MethodAdvice(.doesNot, because: "its encoder needs views, which images have")
        }
        let batch = min(256, max(2, facts.samples / 4))
        let changes = [
            "relation={encoder: {kind: simclr, epochs: 60, batch: \(batch), dimension: 128}, ramp: 3}"
        ]
        let expectation: MethodAdvice.Expectation =
            facts.wrongAtMost > 0.3 ? .helps : facts.isNearlyClean ? .doesNot : .open
        return MethodAdvice(expectation, because: facts.noisePhrase, changes: changes)
    }
}
