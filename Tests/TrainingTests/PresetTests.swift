import Foundation
import TestSupport
import Testing

@testable import Training

/// `preset:` of a method.
@Suite struct PresetTests {
    private func recipe(_ method: String) throws -> Recipe {
        try Tiny.recipe("method=\(method)", "training.epochs=300")
    }

    @Test(
        arguments: MethodRegistry.standard.methods.flatMap { type in
            type.presets.map { (type.name, $0.name) }
        })
    func everyPresetIsOne(_ method: String, _ preset: String) throws {
        let recipe = try recipe("{name: \(method), preset: \(preset)}")
        #expect(recipe.method.preset == preset)
        let type = try #require(MethodRegistry.standard[method])
        let options = try #require(type.presets.first { $0.name == preset }).options
        // What it stands for, written out, is the same method.
        let written = try self.recipe("{name: \(method), \(options)}")
        #expect(recipe.method == written.method)
        // The resolved recipe is the same again.
        let again = try RecipeFile(text: recipe.yaml, file: "again").decoded(Recipe.self)
        #expect(again == recipe && again.method.preset == preset)
    }

    @Test func ownKeysWin() throws {
        let method = try #require(
            try recipe("{name: early-learning, preset: asymmetric, beta: 0.8}").method.base
                as? EarlyLearning)
        #expect(method == EarlyLearning(.init(lambda: 1, beta: 0.8)))
        let taught = try #require(
            try recipe(
                "{name: distillation, teacher: {method: {name: early-learning, preset: cifar-100}}}"
            ).method.base as? KnowledgeDistillation)
        #expect(
            taught.teacher.method?.base as? EarlyLearning
                == EarlyLearning(.init(lambda: 7, beta: 0.9)))
    }

    @Test func unknownOnes() {
        func said(_ method: String) -> String { failure { _ = try recipe(method) } }
        #expect(
            said("{name: early-learning, preset: symetric}").hasSuffix(
                "method.preset: unknown preset: found \"symetric\", expected one of those of "
                    + "early-learning: symmetric, asymmetric, cifar-100, clothing1m"))
        #expect(
            said("{name: cross-entropy, preset: symmetric}").hasSuffix(
                "unknown preset: found \"symmetric\", expected cross-entropy has none"))
        #expect(said("{name: nothing, preset: symmetric}").contains("nothing"))
        #expect(said("{name: mutual, preset: [1]}").contains("unknown preset"))
    }

    /// The page has every preset, as it is.
    @Test func thePageHasThem() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../.."
        let page = try String(contentsOfFile: "\(root)/Documentation/recipes.md", encoding: .utf8)
        for type in MethodRegistry.standard.methods {
            for preset in type.presets {
                let line =
                    "| `\(type.name)` | `\(preset.name)` | `\(preset.options)` | \(preset.source) |"
                #expect(page.contains(line), "\(line)")
            }
        }
    }
}
