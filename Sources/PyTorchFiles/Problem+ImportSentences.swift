import Diagnostics
import Files

// Sentences about files that hold something else than a state dictionary.

extension FileKind {
    /// Whether the archive's directory has to decide: a zip archive may have any entry first.
    var canBePyTorch: Bool {
        if case .zip(let first) = self { return !first.isEmpty }
        return self == .pyTorch
    }
}

extension Problem {
    static func notPyTorch(_ file: String, _ kind: FileKind) -> Problem {
        Problem(
            .data, "not a file that torch.save wrote", at: .file(file), found: kind.description,
            hint: kind.hintForWeights)
    }
    static func notWeights(_ file: String, _ kind: FileKind) -> Problem {
        Problem(
            .data, "neither safetensors nor a file that torch.save wrote", at: .file(file),
            found: kind.description, hint: kind.hintForWeights)
    }
    static func noMap(_ file: String) -> Problem {
        Problem(.internal, "no map of names to try", at: .file(file))
    }
    static func wholeModule(_ file: String, _ name: String) -> Problem {
        Problem(
            .data, "a whole network, which is a program, and not its state dictionary",
            at: .file(file), found: oneLine(name, limit: 120),
            hint: "nothing of the file was executed; save it in Python with "
                + "torch.save(model.state_dict(), FILE)")
    }
}
