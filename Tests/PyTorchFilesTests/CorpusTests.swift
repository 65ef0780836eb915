import Testing

/// The seeds and the finds of the fuzzer, replayed.
struct CorpusTests {
    @Test func theCorpusIsReplayed() throws {
        try replay("names", beside: #filePath, NameMapProperties.rules)
    }
}
