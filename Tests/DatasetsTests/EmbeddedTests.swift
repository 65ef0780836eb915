import Testing

@testable import Datasets

@Suite struct EmbeddedTests {
    /// First labels and statistics computed with Python from the same files.
    @Test func trainingPart() throws {
        let data = try Dataset.embedded(.train)
        #expect(data.count == 4000)
        #expect(data.sampleShape == [1, 28, 28])
        #expect(data.classCounts == [Int](repeating: 400, count: 10))
        #expect(Array(data.labels[..<10]) == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5])
        #expect(data.classNames[9] == "Ankle boot")
        let norm = try Normalisation.fit(data, members: Array(0..<4000))
        #expect(abs(norm.mean[0] - 0.286768202) < 1e-7)
        #expect(abs(norm.std[0] - 0.354348446) < 1e-7)
    }

    @Test func testPart() throws {
        let data = try Dataset.embedded(.test)
        #expect(data.count == 1000)
        #expect(data.classCounts == [Int](repeating: 100, count: 10))
    }
}
