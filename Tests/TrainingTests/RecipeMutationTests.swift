import Datasets
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Training

/// Broken recipes: one line with file, line and key, the right exit code, no trap, and soon.
@Suite(.serialized, .takesTurns) struct RecipeMutationTests {
    /// Everything that is checked before the first step.
    private func prepare(_ bytes: [UInt8]) throws {
        let file = try RecipeFile(bytes: bytes, file: "r.yaml")
        let recipe = try file.decoded(Recipe.self)
        _ = try file.placing {
            try Run(recipe, folder: "never", compute: Tiny.compute, dataFiles: Tiny.files)
        }
    }

    @Test(arguments: RecipeMutations.keys + RecipeMutations.values + RecipeMutations.texts)
    func oneLine(_ mutation: RecipeMutations.Mutation) throws {
        let text = RecipeMutations.base.replacing(
            mutation.found, with: mutation.replacement, maxReplacements: 1)
        try #require(text != RecipeMutations.base)
        let began = Date()
        do {
            try prepare(Array(text.utf8))
            Issue.record("nothing was said")
        } catch let problem as Problem {
            #expect("\(problem)" == mutation.sentence)
            #expect(!problem.description.contains("\n"))
            #expect(
                problem.kind
                    == (mutation.sentence.contains("no such file")
                        || mutation.sentence.contains("cannot read") ? .io : .data))
        }
        // A machine under load is slow; a hang is slower.
        #expect(Date().timeIntervalSince(began) < 20)
    }

    /// A key of one kind of data beside another kind is misplaced, not unknown, whatever its value.
    @Test(arguments: DataOptions.kinds.map { $0.kind })
    func keysOfOtherKinds(_ kind: String) throws {
        let own = try #require(DataOptions.kinds.first { $0.kind == kind }).keys
        for key in Set(DataOptions.kinds.flatMap { $0.keys }).subtracting(own) {
            for value in ["1", "x", "[a, b]", "{a: b}", "true", "'~'"] {
                let text = RecipeMutations.base.replacing(
                    "kind: embedded", with: "kind: \(kind), \(key): \(value)")
                #expect(
                    failure { try prepare(Array(text.utf8)) }
                        == "r.yaml, line 1, data.\(key): key does not go with data.kind: found kind "
                        + kind)
            }
        }
    }

    @Test func countIsAsPromised() throws {
        #expect((RecipeMutations.keys + RecipeMutations.values + RecipeMutations.texts).count >= 50)
        try prepare(Array(RecipeMutations.base.utf8))
    }

    @Test func notUTF8() throws {
        var bytes = Array(RecipeMutations.base.utf8)
        bytes[30] = 0xff
        #expect(
            failure { try prepare(bytes) }
                == "r.yaml, byte 30: text is not UTF-8: found ff (save the file as UTF-8)")
        // UTF-16 of the same text.
        let units = RecipeMutations.base.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let wide: [UInt8] = [0xff, 0xfe] + units
        #expect(
            failure { try prepare(wide) }
                == "r.yaml, byte 0: text is not UTF-8: found UTF-16 (save the file as UTF-8)")
    }

    /// Cut anywhere, a recipe is refused or means what is left; it never traps.
    @Test func cutAnywhere() throws {
        let bytes = Array(RecipeMutations.base.utf8)
        for length in stride(from: 0, to: bytes.count, by: 3) {
            do {
                _ = try RecipeFile(bytes: Array(bytes[..<length]), file: "r.yaml").decoded(
                    Recipe.self)
            } catch is Problem {
            }
        }
    }

    @Test func numbersThatJSONDoesNotHaveDoNotTrap() throws {
        let text = RecipeMutations.base.replacing(
            "kind: symmetric\n  rate: 0.4", with: "kind: none\n  rate: .nan")
        let recipe = try RecipeFile(text: text, file: "r.yaml").decoded(Recipe.self)
        #expect(try recipe.phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }.count == 2)
    }
}
