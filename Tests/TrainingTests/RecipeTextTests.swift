import Datasets
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Training

/// Texts that would keep a YAML parser busy for ever, and texts as people's editors write them: each
/// is read or refused with one line, soon.
@Suite(.takesTurns) struct RecipeTextTests {
    private static let plain = """
        data: {kind: embedded, limit: 200}
        model: {name: mlp}
        method: {name: cross-entropy}

        """

    /// The sentence about a text, or nil if it is read; in less time than a person notices.
    private func refusal(_ text: String) -> String? {
        let began = ContinuousClock.now
        var sentence: String?
        do {
            _ = try RecipeFile(bytes: Array(text.utf8), file: "r.yaml").decoded(Recipe.self)
        } catch {
            sentence = "\(error)"
        }
        // A second on a quiet machine.
        #expect(ContinuousClock.now - began < .seconds(10))
        return sentence
    }

    /// `levels` anchors, each a list of `width` aliases of the one before.
    private func tree(_ levels: Int, _ width: Int, line: String, item: String) -> String {
        var text = "a0: &a0 [x, x]" + line
        for level in 1...levels {
            let items = Array(repeating: item + "*a\(level - 1)", count: width)
            text += "a\(level): &a\(level)" + line
            text += items.map { " - " + $0 + line }.joined()
        }
        return text
    }

    @Test(arguments: ["\n", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{2029}"])
    func aliasesBehindEveryLineBreak(line: String) {
        let refused = "r.yaml: too many YAML aliases: expected at most 16"
        #expect(refusal(tree(26, 2, line: line, item: line + "  ")) == refused)
        #expect(refusal(tree(26, 2, line: line, item: "")) == refused)
        // In brackets, behind a tag or an anchor.
        let flow = (1...26).map { "b\($0): &b\($0) [*b\($0 - 1),*b\($0 - 1)]" + line }.joined()
        #expect(refusal("b0: !!seq &b0 [x,x]" + line + flow) == refused)
        // As keys: hashing them took for ever before anything was counted.
        let key = tree(26, 2, line: line, item: "") + "z: {" + line + " ? *a26 : 1}" + line
        #expect(refusal(key) == refused)
    }

    @Test func aliasTreesAsKeys() {
        let tree = tree(5, 3, line: "\n", item: "")
        for key in ["z: {? *a5 : 1}", "z: {*a5 : 1}", "z: {*a5: 1}", "z: {*a5:1}", "? *a5\n: 1"] {
            #expect(
                refusal(tree + key + "\n")
                    == "r.yaml, line \(22 + (key.contains("\n") ? 0 : 0)): a key must be a word: "
                    + "found a list, a mapping or an alias")
        }
        #expect(
            refusal("[a, b]: 1\n")
                == "r.yaml, line 1: a key must be a word: found a list, a mapping or an alias")
        // Many levels of a large list.
        let list = "a0: &a0 [" + String(repeating: "x,", count: 60_000) + "x]\n"
        #expect(
            refusal(list + self.tree(5, 3, line: "\n", item: "").drop { $0 != "\n" }.dropFirst())
                == "r.yaml: the recipe is too large with its aliases written out: expected at most "
                + "200000 values")
    }

    @Test func aliasesMayBeUsed() throws {
        let text = """
            # *data and *notes in a comment, "*data" in quotes
            data: &data {kind: embedded, limit: 200}
            model: {name: &name mlp}
            name: *name
            method: {name: cross-entropy}

            """
        let recipe = try RecipeFile(text: text, file: "r.yaml").decoded(Recipe.self)
        #expect(recipe.name == "mlp")
        // Asterisks that are no aliases are not counted.
        let notes = String(repeating: "# *note* *data*\n", count: 40)
        #expect(refusal(notes + RecipeTextTests.plain) == nil)
        #expect(
            refusal(RecipeTextTests.plain + "name: *nothing\n")
                == "r.yaml, line 4: not YAML: found undefined alias")
    }

    @Test(arguments: ["\n", "\r", "\u{85}", "\u{2028}"])
    func depth(line: String) {
        let refused = "nested too deeply: expected at most 40 levels"
        let texts = [
            String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 50_000),
            String(repeating: "- ", count: 50_000), String(repeating: "? ", count: 50_000),
            (0..<300).map { String(repeating: " ", count: $0) + "- \(line)" }.joined(),
            (0..<300).map { String(repeating: " ", count: $0) + "?\(line)" }.joined(),
            (0..<300).map { String(repeating: " ", count: $0) + "a:\(line)" }.joined(),
        ]
        for text in texts { #expect(refusal("x: 1" + line + text)?.hasSuffix(refused) == true) }
        // Wide, not deep.
        let wide = (0..<300).map { "a\($0):\(line)    b: [1, [2]]\(line)" }.joined()
        #expect(refusal(wide)?.contains("nested") == false)
    }

    @Test func combiningMarks() {
        let marks = String(repeating: "\u{301}\u{323}", count: 50_000)
        let refused = "found more than 30 combining marks in a row, expected at most 30"
        #expect(refusal("? a\(marks)\n: 1\n")?.hasSuffix(refused) == true)
        #expect(refusal("name: \"\(marks)\"\n")?.hasSuffix(refused) == true)
        let escapes = String(repeating: "\\u0301\\u0323", count: 20_000)
        #expect(refusal("? \"a\(escapes)\"\n: 1\n")?.hasSuffix(refused) == true)
        for cut in ["\\", "\\u", "\\u03", "\\U0000030", "\\x", "\\x3", "\\uzzzz"] {
            #expect(refusal("name: \"\(cut)") != nil)
        }
        let folded = String(repeating: "\\u0301\\\n  ", count: 20_000)
        #expect(refusal("? \"a\(folded)\"\n: 1\n")?.hasSuffix(refused) == true)
    }

    @Test func longWords() {
        let long = String(repeating: "x", count: 1025)
        #expect(
            refusal(RecipeTextTests.plain + "name: \(long)\n")
                == "r.yaml, line 4: a word is too long: found 1025 bytes, expected at most 1024 "
                + "bytes and 30 combining marks in a row")
        #expect(refusal("? \(long)\n: 1\n")?.contains("a word is too long") == true)
    }

    /// As large as a recipe may be, in the shapes that take most time.
    @Test func largestTexts() {
        let many = (0..<20_000).map { "k\($0): 1\n" }.joined()
        #expect(refusal(RecipeTextTests.plain + many)?.contains("unknown key") == true)
        let maps = "noises: [" + String(repeating: "{a: 1},", count: 35_000) + "]\n"
        #expect(refusal(RecipeTextTests.plain + maps)?.contains("unknown key") == true)
        let rows =
            RecipeTextTests.plain + "rows:\n"
            + (0..<15_000).map { " - {name: a\($0)}\n" }.joined()
        #expect(
            "\(failure { try ComparisonFile([RecipeFile(text: rows, file: "c.yaml")]) } ?? "")"
                == "c.yaml, rows: the comparison is too large: found 15000 rows, expected at most 200"
        )
        #expect(refusal("a: '" + String(repeating: "\n", count: 250_000) + "'")?.isEmpty == false)
    }

    /// What editors put before and between lines does not change what a recipe says.
    @Test func marksAndLineBreaksOfEditors() throws {
        let plain = try RecipeFile(text: RecipeTextTests.plain, file: "r").decoded(Recipe.self)
        for line in ["\n", "\r", "\r\n"] {
            for mark in ["", "\u{feff}"] {
                let text = mark + RecipeTextTests.plain.replacing("\n", with: line)
                let file = try RecipeFile(bytes: Array(text.utf8), file: "r")
                #expect(try file.decoded(Recipe.self) == plain)
            }
        }
    }

    /// Words stay as written, whatever YAML would make of them.
    @Test func wordsAsWritten() throws {
        let text = RecipeTextTests.plain.replacing(
            "kind: embedded, limit: 200",
            with:
                "kind: csv, path: t.csv, class-names: [yes, no, on, 010, 1e3, ~, null, 2016-01-01, 1:30, T]"
        )
        let recipe = try RecipeFile(text: text, file: "r").decoded(Recipe.self)
        let names = ["yes", "no", "on", "010", "1e3", "~", "null", "2016-01-01", "1:30", "T"]
        #expect((recipe.data.source as? TableSource)?.table.classNames == names)
        // And come back from the run folder.
        let again = try RecipeFile(text: recipe.yaml, file: "r").decoded(Recipe.self)
        #expect(again == recipe)
    }

    @Test(arguments: [
        (
            "optimizer: {kind: adam, learning-rate: 0,01}",
            "optimizer.learning-rate: a number with a comma: found 0,01 (write 0.01)"
        ),
        (
            "optimizer: {learning-rate: 0,01, kind: adam}",
            "optimizer.learning-rate: a number with a comma: found 0,01 (write 0.01)"
        ),
        (
            "optimizer:\n  learning-rate: 0,01",
            #"optimizer.learning-rate: wrong value: found "0,01", expected a number (write 0.01)"#
        ),
        (
            "seed: 010",
            #"seed: wrong value: found "010", expected a whole number, 0 or more (without leading zeros)"#
        ),
        ("seed: 1:30", #"seed: wrong value: found "1:30", expected a whole number, 0 or more"#),
        (
            "seed: \"2\"",
            #"seed: wrong value: found "2", expected a whole number, 0 or more (leave the quotes out)"#
        ),
        (
            "training: {epochs: 2.0}",
            #"training.epochs: wrong value: found "2.0", expected a whole number"#
        ),
        ("1: a\n\"1\": b", #"line 5: key "1" given twice"#),
    ])
    func valuesThatYAMLReadsOtherwise(line: String, sentence: String) {
        #expect(refusal(RecipeTextTests.plain + line + "\n")?.hasSuffix(sentence) == true)
    }

    @Test(arguments: [
        (
            "data:\n\tkind: csv",
            "found character that cannot start any token (YAML indents with spaces, not tabs; a word that begins with % @ or ` is quoted)"
        ),
        (
            #"name: "C:\data\t""#,
            "found unknown escape character (in double quotes a backslash begins an escape: use single quotes)"
        ),
    ])
    func mistakesInYAML(text: String, sentence: String) {
        #expect(refusal(text + "\n")?.hasSuffix(sentence) == true)
    }

    /// Keys as other programs call them, and keys beside the part that they belong to.
    @Test(arguments: [
        ("optimizer: {lr: 0.1}", "learning-rate"),
        ("optimizer: {learning_rate: 0.1}", "learning-rate"),
        ("optimizer: {wd: 0.1}", "weight-decay"),
        ("optimizer: {weight_decay: 0.1}", "weight-decay"),
        ("training: {bs: 32}", "batch"), ("training: {batch_size: 32}", "batch"),
        ("training: {epoch: 3}", "epochs"), ("training: {num_epochs: 3}", "epochs"),
        ("arch: {name: mlp}", "model"), ("optimiser: {learning-rate: 0.1}", "optimizer"),
        ("lr: 0.1", "optimizer.learning-rate"), ("epochs: 3", "training.epochs"),
        ("batch-size: 3", "training.batch"), ("optimizer: {momntum: 0.9}", "momentum"),
    ])
    func meantKeys(line: String, key: String) {
        #expect(
            refusal(RecipeTextTests.plain + line + "\n")?.hasSuffix("(did you mean \"\(key)\"?)")
                == true)
    }
}
