import Foundation
import TestSupport
import Testing

/// What a phase warns of is said when it ends, and stands on the page.
@Suite(.serialized, .takesTurns) struct WarningTests {
    @Test func poorEncodersAreToldOfBeforeTheStudent() throws {
        let tool = try Tool()
        let recipe = try tool.write(
            "relations.yaml",
            TinyRuns.text("{name: cross-entropy}", extra: ", ema: 0")
                + "\nrelation: {ramp: 0, encoder: {epochs: 1, batch: 32, dimension: 16}}")
        let outcome = try tool.run(["train", recipe, "--out", "run"] + TinyRuns.flags)
        #expect(outcome.status == 0, "\(outcome.err)")
        let lines = outcome.err.split(separator: "\n").map(String.init)
        let start =
            "relations (mlp, seed 0): warning: The encoder of relations is no better than the pixels: "
            + "nearest neighbours "
        let told = try #require(lines.firstIndex { $0.hasPrefix(start) }, "\(outcome.err)")
        let guided = try #require(lines.firstIndex { $0.hasPrefix("student (mlp, seed 0)") })
        #expect(told < guided)
        #expect(lines.count { $0.contains("no better than the pixels") } == 1)
        let page = try String(contentsOfFile: tool("run/report.html"), encoding: .utf8)
        #expect(page.contains("The encoder of relations is no better than the pixels"))
    }
}
