import ArgumentParser
import Diagnostics
import Foundation
import Testing

@testable import LimbeckProgram

/// Every hint of the program is taken at its word: the commands, options and scripts that it names
/// exist.
struct HintTests {
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources").standardizedFileURL

    /// The strings behind `hint:` in every file, with what stands on the lines below until the
    /// problem ends.
    private func hints() throws -> [(file: String, text: String)] {
        var found: [(file: String, text: String)] = []
        let files = FileManager.default.enumerator(atPath: Self.sources.path)!
        for case let file as String in files where file.hasSuffix(".swift") {
            let text = try String(contentsOf: Self.sources.appending(path: file), encoding: .utf8)
            for part in text.split(separator: "hint:", omittingEmptySubsequences: false).dropFirst()
            {
                let end = part.firstRange(of: "\n    }")?.lowerBound ?? part.endIndex
                // Only what is inside quotes is said.
                let words = part[..<end].split(separator: "\"", omittingEmptySubsequences: false)
                    .enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
                found.append((file, words.joined(separator: " ")))
            }
        }
        return found
    }

    /// The options of a command: what stands first in a line of its help, not what others mention.
    private func options(of command: any ParsableCommand.Type) -> Set<String> {
        let help = Limbeck.helpMessage(for: command)
        return Set(
            help.matches(of: /(?m)^  (?:-[a-zA-Z], )?(--[a-z][a-z-]*)/).map { String($0.output.1) })
    }

    /// Every option that a hint or any other sentence names.
    private func namedOptions() throws -> Set<String> {
        var texts = try hints().map(\.text)
        let files = FileManager.default.enumerator(atPath: Self.sources.path)!
        for case let file as String in files
        where file.hasSuffix("Sentences.swift") || file.hasSuffix("/Number.swift") {
            let text = try String(contentsOf: Self.sources.appending(path: file), encoding: .utf8)
            texts += text.split(separator: "\n").filter { !$0.contains("//") }.map(String.init)
        }
        return Set(
            texts.flatMap { $0.matches(of: /--[a-z][a-z-]+/).map { String($0.output) } })
    }

    private func commands(
        _ list: [any ParsableCommand.Type], _ path: String = ""
    ) -> [(path: String, command: any ParsableCommand.Type)] {
        list.flatMap { command in
            let name = path + Limbeck.name(of: command)
            return [(name, command)] + commands(command.configuration.subcommands, name + " ")
        }
    }

    @Test func namesWhatExists() throws {
        let all = commands(Limbeck.configuration.subcommands)
        let options = all.reduce(into: Set<String>()) {
            $0.formUnion(self.options(of: $1.command))
        }
        let hints = try hints()
        let keys = try ["recipes", "data-free"].map { page in
            try String(
                contentsOf: Self.sources.appending(path: "../Documentation/\(page).md"),
                encoding: .utf8)
        }.joined()
        #expect(hints.count > 80)
        for (file, text) in hints {
            for option in text.matches(of: /--[a-z][a-z-]+/).map({ String($0.output) }) {
                #expect(options.contains(option), "\(file): \(text)")
            }
            for match in text.matches(of: /limbeck ([a-z][a-z-]+)/) {
                let name = String(match.output.1)
                #expect(all.contains { $0.path == name }, "\(file): \(text)")
            }
            // A call in Python is no key.
            for match in text.replacing("model.state_dict()", with: "").matches(
                of: /\b(data|optimizer|training|method|noise|model|schedule)\.[a-z.-]*[a-z]/)
            {
                let key = match.output.0.split(separator: ".").last!
                #expect(keys.contains("`\(key)`") || keys.contains("\(key):"), "\(file): \(text)")
            }
            for match in text.matches(of: /scripts\/[a-z-]+/) {
                let script = Self.sources.appending(path: "../\(match.output)").path
                #expect(FileManager.default.fileExists(atPath: script), "\(file): \(text)")
            }
        }
    }

    /// At which commands the sentences are read that name an option; each of them has it.
    private static let readers: [String: [any ParsableCommand.Type]] = [
        "--annotators": [AuditCommand.self], "--budget": [AuditCommand.self],
        "--classes": [AdviseFeatures.self, SelfDistil.self, ImportCommand.self],
        "--decimal": [Evaluate.self, Predict.self],
        "--delimiter": [Evaluate.self, Predict.self],
        "--device": [Train.self, Compare.self, Demo.self, Synthesize.self, AuditCommand.self],
        "--folds": [AuditCommand.self],
        "--images": [Evaluate.self], "--inexact": [Train.self], "--label": [AuditCommand.self],
        "--labels": [Evaluate.self],
        "--list": [ImportCommand.self], "--map": [ImportCommand.self],
        "--method": [AuditCommand.self],
        "--no-header": [Evaluate.self, Predict.self],
        "--out": [
            Train.self, Compare.self, Demo.self, Synthesize.self, Predict.self, Features.self,
            ImportCommand.self, Noise.self, EmbedLabels.self, ReportCommand.self, TheoryPhase.self,
            AuditCommand.self,
        ],
        "--part": [ImportCommand.self], "--recipe": [Evaluate.self, Features.self],
        "--remake": [Train.self, Compare.self, Demo.self, Synthesize.self, AuditCommand.self],
        "--resume": [Train.self], "--seeds": [Compare.self],
        "--set": [Train.self, Compare.self, AuditCommand.self], "--simulate": [TheoryCheck.self],
        "--table": [Evaluate.self],
    ]

    @Test func optionsOfHintsAreThoseOfTheirCommands() throws {
        // Who names another option says here where it is read.
        #expect(try namedOptions() == Set(Self.readers.keys))
        for (option, commands) in Self.readers {
            for command in commands {
                #expect(options(of: command).contains(option), "\(command) \(option)")
            }
        }
        // What always continues has no option for it, and its hint names none.
        for command in [Compare.self, Synthesize.self, Demo.self] as [any ParsableCommand.Type] {
            #expect(options(of: command).isDisjoint(with: ["--resume", "--inexact"]), "\(command)")
        }
        #expect(!Problem.continuesWhenRunAgain.contains("--"))
    }

    @Test func hintsOfTrainAreNotGivenElsewhere() {
        let stopped = Problem(
            .interrupted, "interrupted", hint: "checkpoint c; continue with --resume")
        let other = Problem(.data, "cannot resume exactly", hint: "resume with --inexact")
        for (problem, hint) in [
            (stopped, "run the same command again to continue"),
            (other, "set it as it was, or give another --out"),
            (Problem(.data, "x", hint: "save the file as UTF-8"), "save the file as UTF-8"),
        ] {
            #expect {
                try continuedByRunningAgain { throw problem }
            } throws: {
                ($0 as? Problem)?.hint == hint
            }
        }
    }

    /// Every command that is misspelt by one letter is found again.
    @Test func misspeltCommands() {
        for (path, _) in commands(Limbeck.configuration.subcommands) where !path.contains(" ") {
            var letters = Array(path)
            letters.swapAt(1, 2)
            let word = String(letters)
            do {
                try Limbeck.checkCommand([word, "x"])
                #expect(word == path)
            } catch {
                #expect(
                    "\(error)" == "unknown command \"\(word)\" (did you mean \"\(path)\"?)")
            }
        }
        for good in [
            [], ["--version"], ["help", "train"], ["train", "x"], ["theory", "solve", "x"],
        ] {
            #expect(throws: Never.self) { try Limbeck.checkCommand(good) }
        }
    }
}
