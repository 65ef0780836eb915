import Testing

@testable import Pictures

/// The seeds and the finds of the fuzzer, replayed.
struct CorpusTests {
    @Test(.enabled(if: Picture.readsJPEGAndPNG)) func theCorpusIsReplayed() throws {
        try replay("picture", beside: #filePath, PictureProperties.picture)
    }
}
