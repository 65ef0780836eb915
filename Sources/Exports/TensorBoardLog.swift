import Diagnostics
import EventFiles
import Files
import Foundation
import Report
import Synchronization
import Training

/// Logs of a run for TensorBoard: in a folder for each phase, scalars of every epoch, the recipe as text,
/// and the image grids that a method shows.
///
///     let log = TensorBoardLog(folder: "runs/first/tensorboard", store: run.store, recipe: recipe.yaml)
///     environment.observe = { log.observe($0) }
///
/// It is made of `metrics.jsonl` and holds nothing else: an epoch that is missing in it, because a process was
/// killed between the two, is taken from there, and steps that are going to be done again are taken off.
/// A log that cannot be written stops growing; training goes on.
public final class TensorBoardLog: Sendable {
    private let folder: String
    private let store: PhaseStore
    private let recipe: String
    private let files: any FileSystem
    private let time: @Sendable () -> Double
    private let state = Mutex(State())

    private struct State {
        var logs: [String: EventLog] = [:]
        /// Keys of phases whose log has all epochs that are behind.
        var isFilled: Set<String> = []
        var failure: Problem?
    }

    /// - Parameters:
    ///   - folder: gets a folder for each phase, of its position and name.
    ///   - store: of the run's phases.
    ///   - recipe: as text.
    ///   - time: seconds since 1970.
    public init(
        folder: String, store: PhaseStore, recipe: String,
        using files: any FileSystem = LocalFileSystem(),
        time: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
    ) {
        self.folder = folder
        self.store = store
        self.recipe = recipe
        self.files = files
        self.time = time
    }

    /// Why it ended, if it did.
    public var failure: Problem? { state.withLock { $0.failure } }

    public func observe(_ event: PhaseEvent) {
        state.withLock { state in
            guard state.failure == nil else { return }
            do throws(Problem) {
                switch event {
                case .began(let spec, let resumed, _):
                    state.logs[spec.key] = try opened(spec, keepingUpTo: resumed ?? 0)
                case .epoch(let spec, let metrics):
                    try add(metrics, of: spec, to: &state)
                case .finished(let spec, let result, _, _):
                    // A phase that was complete before has all its epochs already.
                    var log = try known(spec, in: state, keepingUpTo: nil)
                    try fill(&log, from: store.metrics(spec))
                    try addImages(of: spec, step: result.steps, to: &log)
                    state.logs[spec.key] = nil
                case .step, .note, .failed: break
                }
            } catch {
                state.failure = error
            }
        }
    }

    private func known(
        _ spec: PhaseSpec, in state: State, keepingUpTo step: Int?
    ) throws(Problem) -> EventLog {
        if let log = state.logs[spec.key] { return log }
        return try opened(spec, keepingUpTo: step)
    }

    private func opened(_ spec: PhaseSpec, keepingUpTo step: Int?) throws(Problem) -> EventLog {
        var log = try EventLog(
            folder: "\(folder)/\(spec.index)-\(spec.name)", keepingUpTo: step, time: time(),
            using: files)
        if !log.tags.contains("recipe") {
            // Indented, Markdown shows it as it is.
            let lines = recipe.split(separator: "\n", omittingEmptySubsequences: false)
            try log.append(
                Event(
                    time: time(), step: log.lastStep ?? 0,
                    [.init("recipe", .text(lines.map { "    \($0)" }.joined(separator: "\n")))]))
        }
        return log
    }

    private func add(
        _ metrics: EpochMetrics, of spec: PhaseSpec, to state: inout State
    ) throws(Problem) {
        var log = try known(spec, in: state, keepingUpTo: metrics.step - 1)
        if state.isFilled.insert(spec.key).inserted {
            // Epochs of an earlier process that it did not log.
            try fill(&log, from: store.metrics(spec))
        }
        try fill(&log, from: [metrics])
        state.logs[spec.key] = log
    }

    /// Adds the epochs behind the last one of the log.
    private func fill(_ log: inout EventLog, from metrics: [EpochMetrics]) throws(Problem) {
        for metrics in metrics where metrics.step > log.lastStep ?? -1 {
            try log.append(Event(time: time(), step: metrics.step, metrics.entries))
        }
    }

    private func addImages(
        of spec: PhaseSpec, step: Int, to log: inout EventLog
    ) throws(Problem) {
        guard let bytes = try? readFile("\(store.path(spec))/sections.json", limit: 1 << 30),
            let sections = try? JSON.read([Section].self, bytes)
        else { return }
        var entries: [Event.Entry] = []
        for section in sections {
            for grid in section.imageGrids {
                let tag = "\(section.title)/\(grid.title)"
                guard !log.tags.contains(tag), let png = grid.png() else { continue }
                entries.append(
                    .init(
                        tag,
                        .image(
                            .init(
                                png: png.bytes, width: png.width, height: png.height,
                                channels: png.channels))))
            }
        }
        guard !entries.isEmpty else { return }
        try log.append(Event(time: time(), step: step, entries))
    }
}

extension EpochMetrics {
    /// Its numbers under names that TensorBoard groups by what stands before the slash.
    var entries: [Event.Entry] {
        var entries: [Event.Entry] = []
        func add(_ tag: String, _ value: Double?) {
            if let value { entries.append(.init(tag, .scalar(Float(value)))) }
        }
        func addScores(_ split: String, _ scores: Scores?) {
            add("accuracy/\(split)", scores?.accuracy)
            add("nll/\(split)", scores?.nll)
            add("ece/\(split)", scores?.ece)
        }
        add("loss/total", loss)
        for (name, value) in terms.sorted(by: { $0.key < $1.key }) { add("loss/\(name)", value) }
        add("learning-rate", learningRate)
        add("accuracy/train", trainAccuracy)
        add("accuracy/train-clean", trainCleanAccuracy)
        addScores("validation", validation)
        addScores("test", test)
        addScores("ema-validation", emaValidation)
        addScores("ema-test", emaTest)
        addScores("ensemble-validation", ensembleValidation)
        addScores("ensemble-test", ensembleTest)
        add("peers/agreement", agreement)
        for (name, value) in (metrics ?? [:]).sorted(by: { $0.key < $1.key }) {
            add("method/\(name)", value)
        }
        for (i, learner) in (learners ?? []).enumerated() {
            add("peer-\(i + 1)/loss", learner.loss)
            add("peer-\(i + 1)/validation accuracy", learner.validation.accuracy)
            add("peer-\(i + 1)/test accuracy", learner.test.accuracy)
        }
        return entries
    }
}
