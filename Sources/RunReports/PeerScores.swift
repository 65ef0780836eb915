import Training

/// Test accuracies of networks that learnt side by side, as the table of a comparison shows them.
struct PeerScores {
    var meanLast: Double
    var meanSelected: Double
    var ensembleLast: Double
    var ensembleSelected: Double
    /// On the validation split, after the last epoch.
    var agreement: Double

    /// Nil if the cell's last phase trained one network.
    init?(_ cell: Comparison.Cell) { self.init(cell.results.last, useEMA: cell.useEMA) }

    init?(_ result: PhaseResult?, useEMA: Bool) {
        guard let peers = result?.peers else { return nil }
        let each = peers.each.map { useEMA ? $0.ema ?? $0.own : $0.own }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        meanLast = mean(each.map(\.last.test.accuracy))
        meanSelected = mean(each.map(\.selected.test.accuracy))
        ensembleLast = peers.last.ensemble.test.accuracy
        ensembleSelected = peers.selected.ensemble.test.accuracy
        agreement = peers.last.agreement
    }
}
