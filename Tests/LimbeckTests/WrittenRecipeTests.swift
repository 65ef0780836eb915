import Foundation
import Testing
import Training

@testable import LimbeckProgram

/// Every recipe that the house hands out is one that its program reads: the demo's, the examples, and
/// the blocks of the pages.
struct WrittenRecipeTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL

    private func check(_ text: String, _ name: String) throws {
        let comparison = try ComparisonFile([RecipeFile(text: text, file: name)])
        for candidate in comparison.rows.flatMap(\.candidates) {
            _ = try candidate.file.decoded(Recipe.self).checked(as: name)
        }
    }

    private static func files(_ folder: String, _ suffix: String) -> [URL] {
        let folder = root.appending(path: folder)
        return FileManager.default.enumerator(atPath: folder.path)!.compactMap {
            ($0 as! String).hasSuffix(suffix) ? folder.appending(path: $0 as! String) : nil
        }
    }

    @Test func demoIsRead() throws {
        try check(Demo.recipe, "demo")
    }

    @Test func examplesAreRead() throws {
        let examples = Self.files("Examples", ".yaml")
        #expect(examples.count > 20)
        for url in examples {
            #expect(throws: Never.self, "\(url.lastPathComponent)") {
                try check(String(contentsOf: url, encoding: .utf8), url.lastPathComponent)
            }
        }
    }

    /// A block that shows a part of a recipe gets what it lacks; one whose lines all start with the same
    /// key is a list of alternatives.
    @Test func blocksOfThePagesAreRead() throws {
        let pages = Self.files("Documentation", ".md") + [Self.root.appending(path: "README.md")]
        // What is no recipe: names of a file to import.
        let others: Set = ["names"]
        var read = 0
        for page in pages {
            let text = try String(contentsOf: page, encoding: .utf8)
            for match in text.matches(of: /(?s)```yaml\n(.*?)```/) {
                let block = String(match.output.1)
                let keys = block.matches(of: /(?m)^([a-z-]+):/).map { String($0.output.1) }
                guard others.isDisjoint(with: keys) else { continue }
                let alternatives = Set(keys).count < keys.count
                for part in alternatives ? block.split(separator: "\n").map(String.init) : [block] {
                    read += 1
                    #expect(throws: Never.self, "\(page.lastPathComponent): \(part)") {
                        try check(completed(part), page.lastPathComponent)
                    }
                }
            }
        }
        #expect(read > 25)
    }

    private func completed(_ block: String) -> String {
        let missing = [
            "data": "{kind: embedded}", "model": "{name: lenet5}",
            "method": "{name: cross-entropy}",
        ].filter { key, _ in !block.matches(of: /(?m)^([a-z-]+):/).contains { $0.output.1 == key } }
        return missing.map { "\($0): \($1)\n" }.joined() + block
    }
}
