import Foundation
import Testing

/// What the fuzzer starts from, and what it found, is kept under Fuzz/corpus and keeps its promises:
/// files called good are read, all others are refused in one line.
struct CorpusTests {
    @Test func theCorpusIsReplayed() throws {
        let targets: [(name: String, isRead: ([UInt8]) throws -> Bool)] = [
            ("table", DatasetProperties.table),
            ("idx", DatasetProperties.idx),
            ("cifar", DatasetProperties.cifar),
            ("gunzip", DatasetProperties.gunzip),
            ("labels", DatasetProperties.labelFile),
        ]
        for target in targets {
            let corpus = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Fuzz/corpus/\(target.name)").standardizedFileURL
            let names = try FileManager.default.contentsOfDirectory(atPath: corpus.path).sorted()
            #expect(names.count >= 5)
            for name in names {
                let began = ContinuousClock.now
                let isRead = try target.isRead(
                    Array(Data(contentsOf: corpus.appending(path: name))))
                // What the fuzzer found is called crash-… or timeout-…: it keeps the promises.
                let isSeed = name.hasPrefix("good-") || name.hasPrefix("bad-")
                #expect(!isSeed || isRead == name.hasPrefix("good-"), "\(target.name), \(name)")
                // A second on a quiet machine.
                #expect(ContinuousClock.now - began < .seconds(20), "\(target.name), \(name)")
            }
        }
    }
}
