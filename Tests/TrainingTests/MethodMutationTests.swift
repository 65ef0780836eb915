import Diagnostics
import Testing
import Yams

@testable import Training

/// Every method of the registry, with each of its keys misspelt and given values that make no sense: one clear
/// line each, or a recipe that means what it says.
@Suite struct MethodMutationTests {
    private func text(_ method: String) -> String {
        """
        data: {kind: embedded}
        noise: {kind: symmetric, rate: 0.4}
        model: {name: mlp}
        method: \(method)
        """
    }

    private func decoded(_ method: String) throws -> Recipe {
        try RecipeFile(text: text(method), file: "r.yaml").decoded(Recipe.self)
    }

    @Test(arguments: MethodRegistry.standard.names)
    func everyKey(_ name: String) throws {
        // As it is without any option, and written out.
        let plain = try decoded("{name: \(name)}")
        let again = try RecipeFile(text: plain.yaml, file: "r.yaml").decoded(Recipe.self)
        #expect(again.method == plain.method)
        guard case .mapping(let mapping) = try NodeEncoder.node(of: plain.method) else {
            Issue.record("a method is a mapping")
            return
        }
        let keys = mapping.compactMap(\.key.string).filter { $0 != "name" }
        for key in keys {
            let line = failure { try decoded("{name: \(name), \(key)x: 1}") }
            #expect(
                line.hasPrefix("r.yaml, line 4, method.\(key)x: unknown key \"\(key)x\""), "\(line)"
            )
            for value in ["-1", "1e400", ".nan", "''", "[]", "{}", "no-such-word", "[[1]]", "~"] {
                check(name, key, value)
            }
        }
    }

    private func check(_ name: String, _ key: String, _ value: String) {
        do {
            _ = try decoded("{name: \(name), \(key): \(value)}")
        } catch let problem as Problem {
            let line = problem.description
            #expect(problem.kind == .data, "\(name).\(key): \(value): \(line)")
            #expect(line.hasPrefix("r.yaml, "), "\(line)")
            #expect(!line.contains("\n") && line.count < 400, "\(line)")
        } catch {
            Issue.record("\(name).\(key): \(value): \(error)")
        }
    }
}
