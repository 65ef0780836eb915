extension DataFree {
    /// It is for networks whose data are gone.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        MethodAdvice(.doesNot, because: "there are data: \(facts.samples) training samples")
    }
}
