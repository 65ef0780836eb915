import ArgumentParser
import Diagnostics
import Foundation
import Torch
import Training

@main
struct Limbeck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limbeck",
        abstract:
            "Distils classifiers when labels are noisy, when there is no data, and when there is no teacher.",
        discussion: """
            Start with `limbeck demo`: it trains and compares methods under 40 % label noise in a few \
            minutes, without any file of yours.

            Exit codes: 0 done, 64 wrong usage, 65 bad data or recipe, 70 a fault of the program, \
            74 a file could not be read or written, 130 interrupted (a checkpoint was written).
            """,
        version: limbeckVersion,
        subcommands: [
            Demo.self, Train.self, Compare.self, Evaluate.self, Predict.self, ImportCommand.self,
            Synthesize.self, Theory.self, Advise.self, SelfDistil.self, Features.self, Noise.self,
            EmbedLabels.self,
            ReportCommand.self, Doctor.self,
        ])

    /// Runs the command; a `Problem` becomes one line and its exit code.
    static func main() {
        do {
            var command = try parseAsRoot()
            Engine.keepMemory()
            try command.run()
        } catch let problem as Problem {
            Console.complain("\(problem)")
            Foundation.exit(problem.kind.rawValue)
        } catch let error as EngineError {
            Console.complain("\(Problem(.internal, "the engine failed: \(error)"))")
            Foundation.exit(Problem.Kind.internal.rawValue)
        } catch {
            // The parser's own errors, `--help` and `--version` among them.
            exit(withError: error)
        }
    }
}
