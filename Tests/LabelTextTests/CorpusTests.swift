import Testing

/// The seeds and the finds of the fuzzer, replayed.
struct CorpusTests {
    @Test func theCorpusIsReplayed() throws {
        try replay("npy", beside: #filePath, LabelTextProperties.matrix)
        try replay("vocabulary", beside: #filePath, LabelTextProperties.vocabulary)
    }
}
