import Diagnostics
import Files
import Foundation
import Models
import Neural
import Torch
import Training

/// What goes with a text network: a script of Python's own library that makes its input, and texts with the
/// tokens that this program makes of them, to compare another implementation with.
public struct TokenizerFiles: Sendable {
    /// The script.
    public let script: String
    /// JSON: a list of objects with `text` and `tokens`.
    public let golden: [UInt8]

    private struct Golden: Encodable {
        var text: String
        var tokens: [Int]
    }

    /// Letters of several scripts, marks, signs that join or vanish, and nothing.
    static let texts = [
        "", " ", "hello", "Hello, World!", "don't stop :)", "Ärger über Öl", "e\u{301}tude n° 5",
        "ΣΊΣΥΦΟΣ İstanbul", "日本語 2024年", "a\u{200D}b\u{FE0F}c\u{00AD}d", "tab\tand\nline\u{A0}end",
        "½ Ⅷ ② 😀👍🏽", "snake_case #tag @user http://x.y/?a=1&b=2",
        "the end of a sentence that is long enough to have many words and pairs of words in it",
    ]

    init(_ network: any TokenClassifier, card: ModelCard) {
        let length = card.sampleShape[1]
        let hashes = network as? FastText
        let resource = hashes == nil ? "code_points" : "word_hashes"
        let url = Bundle.module.url(forResource: "Resources/\(resource)", withExtension: "py")!
        // A resource of this package.
        var script = String(decoding: try! Data(contentsOf: url), as: UTF8.self)
        script = script.replacing("LENGTH = 0", with: "LENGTH = \(network.tokenCount ?? length)")
        if let hashes {
            script = script.replacing(
                "BUCKETS = 0", with: "BUCKETS = \(hashes.configuration.buckets)")
        }
        self.script = script
        golden = JSON.file(
            TokenizerFiles.texts.map { text in
                var codes = text.unicodeScalars.prefix(length).map { Float($0.value) }
                codes += [Float](repeating: 0, count: length - codes.count)
                let tokens = network.tokens(of: Tensor(codes, [1, 1, length])).ints()
                return Golden(text: text, tokens: tokens)
            })
    }

    func write(stem: String, using files: some FileSystem) throws(Problem) -> [String] {
        let paths = ["\(stem).tokenizer.py", "\(stem).tokens.json"]
        try files.replace(paths[0], with: Array(script.utf8))
        try files.replace(paths[1], with: golden)
        return paths
    }
}
