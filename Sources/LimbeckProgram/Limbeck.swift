import ArgumentParser
import Diagnostics
import Files
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
            Demo.self, Train.self, Compare.self, Evaluate.self, Predict.self, Export.self,
            ImportCommand.self,
            Synthesize.self, Theory.self, Advise.self, SelfDistil.self, Features.self, Noise.self,
            AuditCommand.self, EmbedLabels.self,
            ReportCommand.self, Doctor.self,
        ])

    /// Runs the command; a `Problem` becomes one line and its exit code.
    static func main() {
        Streams.reserveStandardDescriptors()
        Streams.ignoreSignals()
        do {
            try checkCommand(Array(CommandLine.arguments.dropFirst()))
            var command = try parseAsRoot()
            Engine.keepMemory()
            try command.run()
            finish(0)
        } catch let problem as Problem {
            Console.complain("\(problem)")
            Foundation.exit(problem.kind.rawValue)
        } catch let error as EngineError {
            Console.complain("\(Problem(.internal, "the engine failed: \(error)"))")
            Foundation.exit(Problem.Kind.internal.rawValue)
        } catch {
            // The parser's own errors, `--help` and `--version` among them. It would print them itself,
            // and not notice that nobody could read them.
            let text = fullMessage(for: error)
            let code = exitCode(for: error)
            if !text.isEmpty {
                if code.isSuccess { Console.print(text) } else { Console.say(text) }
            }
            finish(code.rawValue)
        }
    }

    /// Ends the process with `code`, or with 74 where the results did not get out.
    private static func finish(_ code: Int32) -> Never {
        guard code == 0, let problem = Console.outputFailure else { Foundation.exit(code) }
        Console.complain("\(problem)")
        Foundation.exit(problem.kind.rawValue)
    }

    /// Refuses a command that there is not with the one that was meant; the parser would call it an
    /// unexpected argument.
    static func checkCommand(_ arguments: [String]) throws(Problem) {
        var known: [any ParsableCommand.Type] = configuration.subcommands
        var path = ""
        // Whether a word that is no command is the first argument of the default one.
        var hasDefault = false
        for word in arguments {
            guard !known.isEmpty, !word.hasPrefix("-"), !(path.isEmpty && word == "help") else {
                return
            }
            guard let command = known.first(where: { name(of: $0) == word }) else {
                let names = known.map { name(of: $0) }
                if hasDefault, Suggestion.nearest(to: word, among: names) == nil { return }
                throw .unknownCommand(path + word, word, names)
            }
            path += word + " "
            known = command.configuration.subcommands
            hasDefault = command.configuration.defaultSubcommand != nil
        }
    }

    static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }
}
