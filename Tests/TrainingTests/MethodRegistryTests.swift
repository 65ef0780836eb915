import Foundation
import Testing

@testable import Training

/// One list of methods: recipes, help, documentation and tests read it.
@Suite struct MethodRegistryTests {
    @Test func namesAreDifferentAndSaySomething() {
        let registry = MethodRegistry.standard
        #expect(Set(registry.names).count == registry.methods.count)
        for method in registry.methods {
            #expect(registry[method.name] == method)
            #expect(method.name.allSatisfy { $0.isLowercase || $0 == "-" }, "\(method.name)")
            #expect(method.summary.count > 20 && !method.summary.hasSuffix("."), "\(method.name)")
            #expect(registry.overview.contains("  \(method.name): \(method.summary)"))
        }
        #expect(registry["mutua"] == nil)
    }

    /// Every method has its line in the documentation's table, and the table has no other.
    @Test func documentation() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Documentation/recipes.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let section = try #require(text.split(separator: "\n## method\n").last)
            .split(separator: "\n| key |")[0]
        let lines = section.split(separator: "\n").filter {
            $0.hasPrefix("| `") && !$0.contains("`name`")
        }
        #expect(
            lines.map {
                $0.split(separator: "|").prefix(2).map { $0.trimmingCharacters(in: .whitespaces) }
            }
                == MethodRegistry.standard.methods.map { ["`\($0.name)`", $0.summary] })
    }

    /// A program's own method is found by its name where its registry is given, and only there.
    @Test func methodsOfAProgram() throws {
        struct Quiet: Method {
            static let name = "quiet"
            static let summary = "does nothing that the baseline does not do"
            var strength = 1.0
            func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
                [plan.phase("student", 0, CrossEntropy.Target())]
            }
        }
        let text = """
            data: {kind: embedded}
            model: {name: mlp}
            method: {name: quiet, strength: 2}
            """
        let plain = try RecipeFile(text: text, file: "r.yaml")
        #expect(
            failure { try plain.decoded(Recipe.self) }
                .hasPrefix("r.yaml, line 3, method.name: unknown method \"quiet\""))
        let own = try RecipeFile(
            text: text, file: "r.yaml", methods: .standard.adding(Quiet.self))
        let recipe = try own.decoded(Recipe.self)
        #expect((recipe.method.base as? Quiet)?.strength == 2)
        #expect(recipe.name == "quiet" && recipe.yaml.contains("strength: 2"))
    }
}
