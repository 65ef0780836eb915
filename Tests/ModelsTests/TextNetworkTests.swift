import Foundation
import Neural
import TestSupport
import Testing
import Torch

@testable import Models

/// What the text networks make of code points.
@Suite(.takesTurns) struct TextNetworkTests {
    private func ids(_ text: String, buckets: Int = 1000, longest: Int = 2) -> [Int] {
        let codes = text.unicodeScalars.map { Float($0.value) }
        return codes.withUnsafeBufferPointer {
            WordNGrams.ids($0, buckets: buckets, longest: longest)
        }
    }

    /// The published FNV-1a values.
    @Test func hash() {
        let hash = { (text: String) in text.utf8.reduce(WordNGrams.offset, WordNGrams.step) }
        #expect(hash("") == 0xcbf2_9ce4_8422_2325)
        #expect(hash("a") == 0xaf63_dc4c_8601_ec8c)
        #expect(hash("foobar") == 0x8594_4171_f739_67e8)
        let folded = 0x8594_4171_f739_67e8 as UInt64 ^ 0x8594_4171
        #expect(ids(" FooBar\t") == [Int(folded % 1000) + 1])
    }

    /// A second implementation, in Python with regular expressions.
    @Test func equalsTheScript() throws {
        let url = try #require(
            Bundle.module.url(
                forResource: "ngrams", withExtension: "txt", subdirectory: "Fixtures"))
        let lines = try String(contentsOf: url, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        for (text, line) in zip(TinyNetwork.texts, lines) {
            let golden = line.split(separator: " ").compactMap { Int($0) }
            #expect(ids(text).sorted() == golden.sorted())
        }
        #expect(lines[0].count > 100)
    }

    @Test func words() {
        // n words and n − 1 pairs.
        let count = { (text: String) in (ids(text).count + 1) / 2 }
        #expect(ids("").isEmpty && ids(" \n\0\u{a0}\u{3000}").isEmpty)
        #expect(count("one") == 1)
        #expect(ids("one").count == 1)
        #expect(count("don't :)") == 5)
        #expect(count("a-b_c") == 5)
        #expect(count("\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947} 42nd") == 2)  // नमस्ते
        #expect(count("\u{2764}\u{fe0f}\u{2764}") == 2)
        #expect(ids("\u{c4}PFEL \u{416}") == ids("\u{e4}pfel\n\u{436}"))
        // Decomposed letters are other words: nothing is normalised.
        #expect(ids("a\u{308}") != ids("\u{e4}"))
        #expect(ids("x\0y") == ids("x y"))
        #expect(ids("x y") != ids("xy"))
        #expect(Set(ids("y x")).intersection(ids("x y")).count == 2, "the pair keeps its order")
        #expect(ids("a b c", longest: 3).count == 6)
        #expect(ids("a b c", longest: 1).count == 3)
    }

    @Test func anyNumberIsNoMishap() {
        let strange: [Float] = [
            .nan, .infinity, -.infinity, -1, 0.5, 97.5, 0xd800, 0xdfff, 0x110000, 3e38, 97,
        ]
        let ids = strange.withUnsafeBufferPointer { WordNGrams.ids($0, buckets: 3) }
        #expect(ids.allSatisfy { 1...3 ~= $0 } && !ids.isEmpty)
        #expect(self.ids("a b", buckets: 1) == [1, 1, 1])
    }

    @Test func textsDoNotDependOnTheirBatch() throws {
        try withNoLeaks {
            let network = FastText(.init(classes: 3, buckets: 100), generator: Generator(seed: 1))
            let texts = ["a", "many more words than the other text has", ""]
            let together = network(codePoints(texts, length: 64), mode: .eval).doubles()
            for (i, text) in texts.enumerated() {
                let alone = network(codePoints([text], length: 64), mode: .eval).doubles()
                #expect(relativeError(alone, Array(together[i * 3..<i * 3 + 3])) < 1e-6)
            }
            // Nothing to average: the bias alone.
            let bias = network.features(codePoints([""], length: 16), mode: .eval)
            #expect(bias.doubles() == network.fc1.bias?.tensor.doubles())
        }
    }

    /// The padding's row is zero, gets no gradient, and the mean does not count it.
    @Test func meanOfRows() throws {
        try withNoLeaks {
            let network = FastText(.init(classes: 3, buckets: 100), generator: Generator(seed: 1))
            let rows = network.embedding.weight.tensor
            #expect(rows.selected(0, 0).doubles().allSatisfy { $0 == 0 })
            let x = codePoints(["good film", "x"], length: 32)
            let ids = FastText.ids(x, buckets: 100)
            #expect(ids.shape == [2, 3])
            #expect(Array(ids.ints()[4...]) == [0, 0])
            let own = ids.ints()[..<3].map { rows.selected(0, $0).doubles() }
            let mean = (0..<32).map { i in own.reduce(0) { $0 + $1[i] } / 3 }
            #expect(
                relativeError(network.embedding(ids).selected(0, 0).doubles(), mean) < 1e-6)
            network(x, mode: .train(Generator(seed: 1))).squared().sum().backward()
            let gradient = try #require(rows.gradient)
            #expect(gradient.selected(0, 0).doubles().allSatisfy { $0 == 0 })
        }
    }

    @Test func oneHotLetters() throws {
        try withNoLeaks {
            let text = "aZ-~\n\u{e9}\0"
            let x = CharCNN.oneHot(codePoints([text], length: 8))
            #expect(x.shape == [1, 70, 8])
            let hot = x.doubles().enumerated().filter { $0.element != 0 }
            #expect(hot.allSatisfy { $0.element == 1 })
            // Channel · 8 + position: a, z, the first of two hyphens, ~, line break.
            #expect(hot.map(\.offset) == [0, 25 * 8 + 1, 36 * 8 + 2, 56 * 8 + 3, 69 * 8 + 4])
            #expect(CharCNN.alphabet.utf8.count == 70)
            #expect(Set(CharCNN.alphabet.utf8).count == 69)
        }
    }

    @Test func charactersBeyondTheLengthDoNotCount() throws {
        try withNoLeaks {
            let network = CharCNN(
                .init(classes: 3, length: 123, width: 48), generator: Generator(seed: 1))
            #expect(network.configuration.positions == 1)
            #expect(CharCNN.Configuration(classes: 2).positions == 7)
            let start = String(repeating: "abc ", count: 30) + "end"
            let logits = { (text: String) in
                network(codePoints([text], length: 200), mode: .eval).doubles()
            }
            #expect(logits(start) == logits(start + " and more"))
            #expect(logits(start) == logits(start.uppercased()))
            // The last of the 123 characters still counts.
            let ends = "abcdefghijklmnopqrstuvwxyz".map { logits(start.dropLast() + String($0)) }
            #expect(Set(ends).count > 1)
        }
    }
}
