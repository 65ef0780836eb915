import ArgumentParser
import Diagnostics
import Files
import Foundation
import Replica
import Report
import Training

struct Theory: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What replica theory predicts for self-distillation under label noise.",
        discussion: """
            Two Gaussian classes with noisy labels, a linear classifier, any number of stages: exact \
            errors in the limit of many dimensions, the best hyper-parameters, and simulations of finite \
            size to compare with. Stage k is k-SD; stage 0 learns from the given labels.

            Examples:
              limbeck theory solve --alpha 3 --theta 0.3 --lambda 1,1 --beta inf
              limbeck theory optimize --alpha 1 --theta 0.3 --stages 2
              limbeck theory check --lambda 1,1,1 --bias fixed:0
            """,
        subcommands: [
            TheorySolve.self, TheoryOptimize.self, TheoryCurve.self, TheoryPhase.self,
            TheoryCheck.self,
        ])
}

/// The mixture and how exactly to solve it.
struct MixtureArguments: ParsableArguments {
    @Option(help: "Samples per dimension.")
    var alpha: Double = 3

    @Option(help: "Variance of each coordinate within a class; the classes are 2 apart.")
    var delta: Double = 0.5

    @Option(help: "Share of wrong training labels, 0 to 0.5.")
    var theta: Double = 0.3

    @Option(help: "Share of the positive class.")
    var rho: Double = 0.5

    @Option(help: "Quasi-random points for the third stage and later ones: 2 to the power of this.")
    var samples: Int = 15

    @Option(help: "Threads. No result depends on them.")
    var threads: Int?

    func validate() throws {
        if let threads { try checkThreads(threads) }
        guard (7...20).contains(samples) else {
            throw ValidationError("--samples: found \(samples), expected 7 to 20")
        }
    }

    var workers: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }
    // Half of the points are the other half's antithetic partners.
    var resolution: Resolution { Resolution(sampleLog2: samples - 1) }

    func mixture(alpha: Double? = nil, theta: Double? = nil) throws(Problem) -> NoisyMixture {
        try NoisyMixture(
            sampleRatio: alpha ?? self.alpha, variance: delta, noiseRate: theta ?? self.theta,
            positiveShare: rho)
    }

    func facts(over variable: String? = nil) -> [Fact] {
        [("alpha", alpha), ("delta", delta), ("theta", theta), ("rho", rho)]
            .filter { $0.0 != variable }.map { Fact($0.0, Numbers.compact($0.1, 6)) }
            + [Fact("limbeck", limbeckVersion)]
    }
}

/// Loss, bias and the stages' hyper-parameters.
struct ScheduleArguments: ParsableArguments {
    @Option(help: "λ of each stage, separated by commas: penalty λ/2 |w|² on the summed loss.")
    var lambda: String?

    @Option(
        help: "β of each stage's labels, separated by commas, or one for all; inf for hard labels.")
    var beta: String?

    @Option(help: "cross-entropy or squared.")
    var loss: String = StageLoss.crossEntropy.rawValue

    @Option(help: "learn, carry (from stage 0), or fixed:VALUE.")
    var bias: String = "learn"

    @Option(
        help: "hard or soft labels. Default: hard with cross-entropy, soft with the squared loss.")
    var labels: String?

    func lossKind() throws(Problem) -> StageLoss {
        guard let kind = StageLoss(rawValue: loss) else {
            throw .unknownWord("--loss", loss, StageLoss.allCases.map(\.rawValue))
        }
        return kind
    }

    func labelKind() throws(Problem) -> HyperParameterSearch.Labels? {
        guard let labels else { return nil }
        guard let kind = HyperParameterSearch.Labels(rawValue: labels) else {
            throw .unknownWord("--labels", labels, ["hard", "soft"])
        }
        return kind
    }

    func biasRule() throws(Problem) -> BiasRule { try Self.rule(bias) }

    static func rule(_ bias: String) throws(Problem) -> BiasRule {
        switch bias {
        case "learn": return .learnt
        case "carry": return .carried
        default:
            let parts = bias.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "fixed", let value = Double(parts[1]),
                value.isFinite
            else {
                throw .wrongOption("--bias", bias, "learn, carry, or fixed: and a number")
            }
            return .fixed(value)
        }
    }

    /// - Parameters:
    ///   - loss: in place of --loss.
    ///   - stages: so many stages after stage 0, where one λ stands for all; `nil` takes the number of λ.
    func schedule(loss: StageLoss? = nil, stages: Int? = nil) throws(Problem) -> Schedule {
        let loss = if let loss { loss } else { try lossKind() }
        var lambdas = try numbers(lambda ?? "1,1", "--lambda")
        if let stages {
            if lambdas.count == 1 || lambda == nil {
                lambdas = Array(repeating: lambdas[0], count: stages + 1)
            }
            guard lambdas.count == stages + 1 else {
                throw .contradiction(
                    "--lambda", "--stages", "give one value, or \(stages + 1)")
            }
        }
        let labels = try labelKind()
        var betas: [Double]?
        if let beta {
            var list = try numbers(beta, "--beta")
            if list.count == 1 { list = Array(repeating: list[0], count: lambdas.count - 1) }
            if let labels, list.contains(where: { ($0 == .infinity) != (labels == .hard) }) {
                throw .contradiction("--beta", "--labels", "hard labels are those of beta inf")
            }
            betas = list
        } else if let labels {
            // Plain soft labels have β = 1; the squared loss chooses its own scale.
            let value: Double? = labels == .hard ? .infinity : loss == .squared ? nil : 1
            betas = value.map { Array(repeating: $0, count: lambdas.count - 1) }
        }
        return try Schedule(lambdas: lambdas, betas: betas, loss: loss, bias: biasRule())
    }
}

/// Where results go.
struct TheoryOutput: ParsableArguments {
    @Option(help: "A folder for report.html, result.json and the charts as SVG.")
    var out: String?

    @Option(help: "Write the chart as a stand-alone SVG.")
    var svg: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// Refuses places that hold something else, before any work.
    func check(inputs: [String?] = []) throws(Problem) {
        let pages = ["report.html", "result.json"].map { name in out.map { "\($0)/\(name)" } }
        try Outputs.check([("--svg", svg)] + pages.map { ("--out", $0) }, inputs: inputs)
        guard let out else { return }
        // The map of `theory phase` begins with its points.
        let marks: Set =
            FileManager.default.fileExists(atPath: "\(out)/points.json")
            ? ["points.json"] : ["report.html", "result.json"]
        try OutputFolder.check(
            out, for: "theory",
            names: Set((1...9).map { "figure-\($0).svg" })
                .union(["report.html", "result.json", "points.json"]),
            marks: marks)
    }

    /// Writes what was asked for and prints the result.
    func publish(_ value: some Encodable, page: TheoryPage, folder: String? = nil) throws(Problem) {
        let files = LocalFileSystem()
        let pictures = page.heatMaps.map { $0.svg() } + page.charts.map { $0.svg() }
        if let svg, let picture = pictures.first {
            try files.replace(svg, with: Array(picture.utf8))
        }
        if let folder = folder ?? out {
            try files.createDirectory(folder)
            for (i, picture) in pictures.enumerated() {
                try files.replace("\(folder)/figure-\(i + 1).svg", with: Array(picture.utf8))
            }
            try files.replace("\(folder)/result.json", with: Array(Console.encoded(value).utf8))
            try page.write(to: "\(folder)/report.html", using: files)
        }
        if json {
            Console.print(json: value)
        } else {
            Console.print(page.title)
            for table in page.tables {
                Console.print(TextTable(table).render())
                if let note = table.note { Console.print(note) }
            }
            for line in page.findings { Console.print("- " + line) }
            if let folder = folder ?? out { Console.print("report: \(folder)/report.html") }
        }
        for line in page.warnings { Console.say("limbeck: warning: \(line)") }
    }
}

/// Numbers separated by commas; `inf` is one.
func numbers(_ text: String, _ option: String) throws(Problem) -> [Double] {
    var list: [Double] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let word = part.trimmingCharacters(in: .whitespaces)
        guard let value = Double(word), !value.isNaN, list.count < 10_000 else {
            throw .wrongOption(option, text, "numbers, separated by commas")
        }
        list.append(value)
    }
    return list
}
