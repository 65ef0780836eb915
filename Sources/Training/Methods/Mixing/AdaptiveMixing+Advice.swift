extension AdaptiveMixing {
    /// Its weights are learnt on further samples: as good as the labels of those.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        let interval = max(1, facts.epochs / 10)
        let method =
            "method={name: adaptive-mixing, rule: box, warm-up: \(interval), "
            + "meta-interval: \(interval)}"
        let split = facts.hasMetaValidation ? [] : ["data.meta-validation=0.1"]
        guard !facts.isNearlyClean else {
            return MethodAdvice(
                .doesNot, because: "\(facts.noisePhrase), for labels and teacher alike",
                changes: split + [method])
        }
        let isClean = facts.hasMetaValidation && facts.isMetaValidationClean
        return MethodAdvice(
            isClean ? .helps : .open,
            because: isClean
                ? "\(facts.noisePhrase), and checked samples are set apart"
                : "\(facts.noisePhrase), but nobody has checked labels to learn the weights on "
                    + "(data.clean-meta-validation)",
            changes: split + [method])
    }
}
