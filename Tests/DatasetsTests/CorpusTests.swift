import Testing

/// The seeds and the finds of the fuzzer, replayed.
struct CorpusTests {
    @Test func theCorpusIsReplayed() throws {
        try replay("table", beside: #filePath, DatasetProperties.table)
        try replay("idx", beside: #filePath, DatasetProperties.idx)
        try replay("cifar", beside: #filePath, DatasetProperties.cifar)
        try replay("gunzip", beside: #filePath, DatasetProperties.gunzip)
        try replay("labels", beside: #filePath, DatasetProperties.labelFile)
    }
}
