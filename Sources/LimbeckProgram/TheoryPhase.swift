import ArgumentParser
import Diagnostics
import Files
import Foundation
import Replica
import Report
import Workers

struct TheoryPhase: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phase",
        abstract: "A map over alpha and theta of what self-distillation gains.",
        discussion: """
            At every point the best k-SD is searched, and the best 0-SD. Points are kept in \
            OUT/points.json as they are done: the same command continues after an interruption.

            Example: limbeck theory phase --grid 20x20 --stages 1 --out runs/phase
            """)

    @OptionGroup var setting: MixtureArguments
    @Option(help: "Points of alpha, x, points of theta.")
    var grid: String = "20x20"
    @Option(help: "Range of alpha, from,to, in equal ratios.")
    var alphaRange: String = "0.1,100"
    @Option(help: "Range of theta, from,to.")
    var thetaRange: String = "0,0.45"
    @Option(help: "Stages after stage 0.")
    var stages: Int = 1
    @OptionGroup var searching: SearchArguments
    @Option(help: "The map's folder.")
    var out: String = "runs/theory-phase"
    @Option(help: "Write the map of the gain as a stand-alone SVG.")
    var svg: String?
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        try checkStages(stages)
        var output = TheoryOutput()
        (output.out, output.svg, output.json) = (out, svg, json)
        try output.check()
        let size = grid.lowercased().split(separator: "x", omittingEmptySubsequences: false)
            .compactMap { Int($0) }
        guard size.count == 2, size.allSatisfy({ (2...100).contains($0) }) else {
            throw Problem.wrongOption("--grid", grid, "two numbers from 2 to 100 with an x between")
        }
        let alpha = try range(alphaRange, "--alpha-range", within: 1e-3...1e5)
        let thetas = try range(thetaRange, "--theta-range", within: 0...0.5)
        // Wrong words are said before any work.
        let search = try searching.search(try setting.mixture(), setting)
        let map = PhaseMap(
            request: .init(
                delta: setting.delta, rho: setting.rho, stages: stages,
                loss: search.loss.rawValue, bias: searching.bias, labels: search.labels.rawValue,
                lambdaRange: searching.lambdaRange, kappaRange: searching.kappaRange,
                samples: setting.samples,
                alphas: PhaseMap.steps(alpha, size[0], byRatio: true),
                thetas: PhaseMap.steps(thetas, size[1], byRatio: false)))
        let isStopped: @Sendable () -> Bool = { Interrupts.isRequested }
        let done = try map.filled(
            folder: out, workers: setting.workers, files: LocalFileSystem(), isStopped: isStopped
        ) { alpha, theta throws(Problem) in
            var search = try searching.search(
                try setting.mixture(alpha: alpha, theta: theta), setting)
            search.workers = 1
            let errors: [Double?] = try search.solvedOptima(last: stages).map(\.error)
            return errors + Array(repeating: nil, count: stages + 1 - errors.count)
        }
        try output.publish(done.answer, page: done.page(facts: setting.facts(over: "alpha")))
        let unsolved = done.points.filter { $0.errors.contains(nil) }.map {
            "alpha \(Numbers.compact($0.alpha)) theta \(Numbers.compact($0.theta))"
        }
        if !unsolved.isEmpty { throw Problem.unsolved(unsolved, of: done.total) }
    }
}

/// A map of best errors over α and θ, filled point by point and kept in a file.
struct PhaseMap: Codable, Sendable {
    struct Request: Codable, Equatable, Sendable {
        var delta, rho: Double
        var stages: Int
        var loss, bias, labels, lambdaRange, kappaRange: String
        var samples: Int
        var alphas, thetas: [Double]
    }

    var request: Request
    /// The best errors of 0-SD, 1-SD, … at the points done, in the order of `alphas` within that of
    /// `thetas`; the points are done in order. Nil where no solution of the equations was found.
    var errors: [[Double?]] = []

    init(request: Request) { self.request = request }

    var total: Int { request.alphas.count * request.thetas.count }

    static func steps(_ range: ClosedRange<Double>, _ count: Int, byRatio: Bool) -> [Double] {
        (0..<count).map { i in
            let t = Double(i) / Double(count - 1)
            let (low, high) = (range.lowerBound, range.upperBound)
            let x = byRatio ? low * pow(high / low, t) : low + t * (high - low)
            return Double(String(format: "%.6g", x)) ?? x
        }
    }

    /// Continues a map that `folder` holds, or begins one, and computes what is missing.
    func filled(
        folder: String, workers: Int, files: some FileSystem, isStopped: () -> Bool,
        _ errorsAt: @Sendable (Double, Double) throws(Problem) -> [Double?]
    ) throws(Problem) -> PhaseMap {
        Interrupts.install()
        try files.createDirectory(folder)
        let file = "\(folder)/points.json"
        var map = self
        if FileManager.default.fileExists(atPath: file) {
            map = try PhaseMap.read(file)
            guard map.request == request else { throw .otherMap(file) }
            if !map.errors.isEmpty {
                Console.say("continuing with \(map.errors.count) of \(total) points")
            }
        }
        let began = DispatchTime.now().uptimeNanoseconds
        let first = map.errors.count
        var throttle = ProgressThrottle(interval: 5) {
            Double(DispatchTime.now().uptimeNanoseconds) / 1e9
        }
        while map.errors.count < total {
            if isStopped() { throw .mapInterrupted(map.errors.count, total) }
            let start = map.errors.count
            let batch = min(max(2 * workers, 4), total - start)
            let results = Parallel.map(batch, workers: workers) {
                [request] i -> Result<[Double?], Problem> in
                let (row, column) = (start + i).quotientAndRemainder(
                    dividingBy: request.alphas.count)
                do throws(Problem) {
                    return .success(try errorsAt(request.alphas[column], request.thetas[row]))
                } catch { return .failure(error) }
            }
            for result in results { map.errors.append(try result.get()) }
            try files.replace(file, with: Array(Console.encoded(map).utf8))
            if throttle.isDue() {
                Console.say(
                    Progress.plain(
                        done: map.errors.count - first, total: total - first,
                        elapsed: Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9,
                        label: "map", unit: "points"))
            }
        }
        return map
    }

    static func read(_ file: String) throws(Problem) -> PhaseMap {
        let bytes = try readFile(file, limit: 64 << 20)
        guard let map = try? JSON.read(PhaseMap.self, bytes),
            map.errors.count <= map.total,
            map.errors.allSatisfy({ $0.count == map.request.stages + 1 })
        else { throw .badMap(file) }
        return map
    }

    struct Point: Encodable {
        var alpha, theta: Double
        var errors: [Double?]
        @OrNull var gain: Double?
        var bayesError, noiselessError: Double
        enum CodingKeys: String, CodingKey {
            case alpha, theta, errors, gain
            case bayesError = "bayes_error"
            case noiselessError = "noiseless_error"
        }
    }

    struct Answer: Encodable {
        var points: [Point]
        var largest: Point?
        enum CodingKeys: String, CodingKey {
            case points
            case largest = "largest_gain"
        }
    }

    var points: [Point] {
        errors.enumerated().compactMap { i, own in
            let (row, column) = i.quotientAndRemainder(dividingBy: request.alphas.count)
            let (alpha, theta) = (request.alphas[column], request.thetas[row])
            guard
                let mixture = try? NoisyMixture(
                    sampleRatio: alpha, variance: request.delta, noiseRate: theta,
                    positiveShare: request.rho)
            else { return nil }
            return Point(
                alpha: alpha, theta: theta, errors: own,
                gain: own[0].flatMap { first in own[own.count - 1].map { first - $0 } },
                bayesError: mixture.bayesError, noiselessError: mixture.noiselessError)
        }
    }

    var answer: Answer {
        let points = points
        return Answer(points: points, largest: Self.largest(points))
    }

    private static func largest(_ points: [Point]) -> Point? {
        points.filter { $0.gain != nil }.max { $0.gain! < $1.gain! }
    }

    func page(facts: [Fact]) -> TheoryPage {
        let points = points
        let (rows, columns) = (request.thetas.count, request.alphas.count)
        func map(_ title: String, _ value: (Point) -> Double?, note: String) -> HeatMap {
            // The largest noise on top, as on an axis.
            HeatMap(
                title: title,
                rowLabels: request.thetas.reversed().map { Numbers.compact($0, 3) },
                columnLabels: request.alphas.map { Numbers.compact($0, 3) },
                values: (0..<rows).reversed().map { r in
                    (0..<columns).map { value(points[r * columns + $0]) ?? .nan }
                }, format: .percent(1), rowAxis: "theta", columnAxis: "alpha", note: note)
        }
        var findings: [String] = []
        if let most = Self.largest(points), let gain = most.gain, let first = most.errors[0],
            let last = most.errors[most.errors.count - 1]
        {
            findings.append(
                "The largest gain, \(TheoryTables.error(gain)), is at alpha "
                    + "\(Numbers.compact(most.alpha)), theta \(Numbers.compact(most.theta)): "
                    + "from \(TheoryTables.error(first)) to \(TheoryTables.error(last)).")
        }
        return TheoryPage(
            title: "What \(request.stages)-SD gains",
            subtitle: "\(request.loss), \(request.labels) labels, bias \(request.bias)",
            facts: facts.filter { $0.name != "theta" }, findings: findings,
            heatMaps: [
                map(
                    "Best 0-SD error minus best \(request.stages)-SD error, in points", \.gain,
                    note: "Both with their best hyper-parameters."),
                map(
                    "Best \(request.stages)-SD error above the Bayes-optimal one, in points",
                    { point in
                        point.errors[point.errors.count - 1].map { max(0, $0 - point.bayesError) }
                    },
                    note: "What no number of stages of another method could gain beyond."),
            ])
    }
}
