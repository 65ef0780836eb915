import Testing

/// The seeds and the finds of the fuzzer, replayed.
struct CorpusTests {
    @Test func theCorpusIsReplayed() throws {
        try replay("recipe", beside: #filePath, TrainingProperties.recipe)
        try replay("assignment", beside: #filePath, TrainingProperties.assignment)
        try replay("records", beside: #filePath, TrainingProperties.records)
    }
}
